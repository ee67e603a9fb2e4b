"""One request followed to its end, for programs that show the replies themselves.

UDP loses datagrams and daemons die; both are hidden here, since asking again for the same job is harmless.
"""

from collections.abc import Iterator
from pathlib import Path

from bridge.clients.client import Client, DaemonGoneError
from bridge.clients.launch import start_daemon
from bridge.errors import DaemonMissingError
from bridge.host.discovery import find_daemon, wait_for_daemon
from bridge.wire.messages import Ack, Done, Fail, JobQuery, JobReply, Progress, RenderRequest, Reply, Request

WAIT_S = 0.3
"""How often `follow` gives control back while the daemon is silent."""
_MAX_SILENCES = 40
_MAX_DAEMONS = 4
"""A daemon may be restarted over a job; after this many, something is wrong that another one does not cure."""


def follow(folder: Path, request: Request) -> Iterator[Reply | None]:
    """Send a request and yield its replies; the last one is its Done or Fail, or the answer to a question.

    None is yielded while nothing arrives, so that the caller can stop. A daemon is started where none runs; `folder` is
    the state folder.

    Raises:
        DaemonMissingError: no daemon can be started, or it does not answer.
        RequestTooLongError, SendError: the request cannot be sent.
    """
    for attempt in range(1, _MAX_DAEMONS + 1):
        with Client(find_daemon(folder) or start_daemon(folder)) as client:
            try:
                yield from _follow(client, request)
            except DaemonGoneError:  # its successor knows the jobs that were accepted, and nothing else
                if attempt == _MAX_DAEMONS or not isinstance(request, RenderRequest):
                    raise
                wait_for_daemon(folder)
            else:
                return


def _follow(client: Client, request: Request) -> Iterator[Reply | None]:
    is_accepted, silences = False, 0
    client.send(request)
    while True:
        reply = client.receive(WAIT_S)
        yield reply
        if reply is None:
            silences += 1
            if silences > _MAX_SILENCES:
                raise DaemonMissingError("the daemon does not answer")
            if not is_accepted:
                client.send(request)
            elif isinstance(request, RenderRequest):  # progress is not repeated: ask, in case the end of it was lost
                client.send(JobQuery(job=request.job))
            continue
        silences = 0
        is_accepted = is_accepted or isinstance(reply, Ack | Progress | JobReply)
        if _is_end(reply, request):
            return


def _is_end(reply: Reply, request: Request) -> bool:
    """Whether nothing more will be said about the request; questions about the daemon end with their one answer."""
    if isinstance(reply, Done | Fail):
        return reply.command == request.address
    return reply.address == f"{request.address}.reply" and not reply.address.endswith(("jobs.reply", "job.reply"))
