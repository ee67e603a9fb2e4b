"""Answering a request with the reason why it fails."""

import logging

from bridge.daemon.osc_server import IncomingMessage, OscServer
from bridge.errors import BridgeError, UnforeseenError
from bridge.host.entry import limit_of
from bridge.wire.messages import REQUESTS, Fail
from bridge.wire.parsing import job_of

log = logging.getLogger(__name__)


def refuse(server: OscServer, message: IncomingMessage, reason: Exception) -> None:
    """Send the /retake/fail that answers a message."""
    (address, args), sender = message
    job, error = job_of(address, args), explained(reason)
    known = address if address in REQUESTS else "an unknown address"
    log.info("refused %s: %s", known, error.code)  # the sentence may quote what the sender wrote, whatever that is
    server.send(Fail(address, job, error.code, error.text, error.hint), sender)


def explained(error: Exception) -> BridgeError:
    """Return an error whose sentence a client may read; an unforeseen one is logged with its traceback."""
    if isinstance(error, BridgeError):
        return error
    log.error("unforeseen", exc_info=error)
    return limit_of(error) or UnforeseenError(error)
