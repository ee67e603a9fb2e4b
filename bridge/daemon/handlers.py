"""The table of requests: which method answers which class of request. A new request is a row here.

A test holds the table equal to `wire.messages.REQUESTS`: a request that is parsed but has no row would stay unanswered.
"""

from collections.abc import Callable
from typing import Any

from bridge.daemon.daemon_requests import DaemonRequests
from bridge.daemon.job_requests import JobRequests
from bridge.daemon.model_requests import ModelRequests
from bridge.daemon.osc_server import Address
from bridge.daemon.preview_requests import PreviewRequests
from bridge.wire.messages import (
    RENDER_REQUESTS,
    Cancel,
    JobQuery,
    Jobs,
    Models,
    Notify,
    Pause,
    Preview,
    Quit,
    Request,
    Status,
    Stop,
    Sync,
    Unload,
    UseModel,
    Version,
)

Handler = Callable[[Any, Address], None]
"""Answers a request of its own class to its sender, or raises the error that the sender gets."""


def handlers_of(
    jobs: JobRequests, models: ModelRequests, previews: PreviewRequests, daemon: DaemonRequests
) -> dict[type[Request], Handler]:
    """Return the handler of every class of request."""
    return {
        **dict.fromkeys(RENDER_REQUESTS, jobs.render),
        Cancel: jobs.cancel,
        JobQuery: jobs.describe,
        Jobs: jobs.list_jobs,
        Sync: jobs.sync,
        Notify: jobs.notify,
        Models: models.list_models,
        UseModel: models.use,
        Unload: models.unload,
        Preview: previews.accept,
        Stop: previews.accept,
        Status: daemon.status,
        Version: daemon.version,
        Pause: daemon.pause,
        Quit: daemon.quit,
    }
