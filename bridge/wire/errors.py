"""Why a request cannot go on the wire, or be read from it; each class writes its own sentence from facts."""

from bridge.errors import ProtocolError


class NotUnicodeError(ProtocolError):
    """A text, or the name of a file, whose bytes are not UTF-8."""

    code = "bad_value"

    def __init__(self, name: str, value: str) -> None:
        shown = "".join(f"\\x{ord(char) - 0xDC00:02x}" if "\udc80" <= char <= "\udcff" else char for char in value[:80])
        super().__init__(
            f"{name} is not UTF-8 text: {shown}",
            f"send {name} in UTF-8; what a program keeps in Latin-1 or in a code page of Windows has to be converted",
        )


class RequestTooLongError(ProtocolError):
    """More than the daemon reads of one request, or than this system sends at once."""

    code = "request_too_long"

    def __init__(self, num_bytes: int, most: int) -> None:
        super().__init__(
            f"the request has {num_bytes:,} bytes, mostly its longest text; at most {most:,} can be sent",
            "shorten the prompt, the negative prompt or the paths; a sentence or two are all that a model hears",
        )


class SendError(ProtocolError):
    """The system refuses to send a request, although a daemon may listen."""

    code = "not_sent"

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"the request could not be sent to the daemon on this machine: {reason}",
            "see whether a firewall or a sandbox keeps programs on this machine from talking to each other",
        )
