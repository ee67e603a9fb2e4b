"""The time after which a client has no use for the result of its job."""

import time

from bridge.errors import TooLateError
from bridge.wire.messages import RenderRequest


def require_in_time(request: RenderRequest) -> None:
    """Raise TooLateError when the deadline of a request has passed; without one it is always in time."""
    if request.deadline_unix is not None and (late_s := time.time() - request.deadline_unix) > 0:
        raise TooLateError(late_s)
