"""Sentences of the wire and the engine, in the words of the window or of a command line."""

import re
from collections.abc import Mapping

from bridge.operation_table import JOB_ROWS, OPERATIONS, rows_of

_LABELS = {
    row.get("x-engine", name): row["x-label"]
    for rows in (JOB_ROWS, *map(rows_of, OPERATIONS))
    for name, row in rows.items()
    if "window" in row["x-surfaces"]
}
_WINDOW = _LABELS | {
    "prompt": "the prompt",
    "clip": "the clip",
    "regions": "the marked part",
    "start_s": "the start of the part",
    "end_s": "the end of the part",
    "output_dir": "the folder for takes",
    "deadline_unix": "the time that was given for it",
    "max_clip_bytes": "the largest size of a clip",
    "max_output_bytes": "the largest size of results",
    "allowed_folders": "folders that results may be written to",
    "worker_silence_s": "how long the render process may be silent",
    "worker_stuck_min": "how long a job may make no progress",
    "level_db": "the level",
}
"""What the window calls the keys of a request: as its fields are labelled, or as it reads better in a sentence."""
_BETWEEN_PROGRAMS = {
    "bad_message",
    "unknown_address",
    "missing_argument",
    "wrong_type",
    "unknown_key",
    "duplicate_key",
    "missing_value",
    "bad_token",
    "job_id_reused",
    "relative_path",
}
"""Codes of mistakes that a musician in the window can neither make nor correct."""
_TYPES = {"float": "a number", "integer": "a whole number", "string": "text"}
"""What the wire's kinds of values are to people."""
_HINTS = {
    "interrupted": "press Try again",
    "too_late": "press Try again; the program that sent it set a deadline",
    "unknown_job": "it may be too old to be remembered; generate the sound again",
    "model_missing": "download it on the page Models, or choose another one",
    "no_daemon": "it restarts automatically; if that takes long, quit Retake and start it again",
}


def window_words(code: str, text: str, hint: str) -> tuple[str, str]:
    """Return an error in the window's words: what happened, and what to do there."""
    if code in _BETWEEN_PROGRAMS:
        return (
            "this window and the daemon did not understand each other",
            "quit Retake and start it again; if this comes back, the daemon's log says more",
        )
    return in_window(text), in_window(_HINTS.get(code, hint))


def in_window(text: str) -> str:
    """Return a sentence, such as a warning, in the window's words."""
    return _named(_without_types(_without_addresses(without_numbers(text))), _WINDOW)


def at_terminal(text: str) -> str:
    """Return a sentence of the daemon's for a command line: without addresses of messages or kinds of values."""
    return _without_types(_without_addresses(without_numbers(text)))


def error_in_window(error: BaseException) -> tuple[str, str]:
    """Return any error in the window's words: one of ours with its hint, others by their reason."""
    text, hint = getattr(error, "text", None), getattr(error, "hint", None)
    if isinstance(text, str) and isinstance(hint, str):
        return window_words(str(getattr(error, "code", "")), text, hint)
    return reason_of(error), ""


def reason_of(error: BaseException) -> str:
    """Return why something failed, as the system says it, without a number or the name of a class."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"
    return without_numbers(str(error)) or "no reason was given"


def without_numbers(text: str) -> str:
    """Leave out what the system and its libraries add for programs: numbers of errors, places in their source."""
    return re.sub(r"\[(?:Errno|WinError) -?\d+\] |\s*\(_\w+\.c:\d+\)", "", text)


def quoted(text: str) -> str:
    r"""Quote the beginning of a text; a byte of it that is not UTF-8 is shown as itself, `\xfc`."""
    return re.sub(r"(?<!\\)\\udc([89a-f][0-9a-f])", r"\\x\1", repr(text[:80]))


def _without_addresses(text: str) -> str:
    return re.sub(r"/retake/(\w+)", lambda found: found[1] if found[1] in OPERATIONS else f"`{found[1]}`", text)


def _without_types(text: str) -> str:
    """Return what a value is and should be without the words that programs have for their kinds of values.

    >>> _without_types("seconds is the string 'long'; expected float")
    "seconds is 'long'; expected a number"
    """
    text = re.sub(r"\bis the (?:string|integer|float) ", "is ", text, count=1)
    for kind, plain in _TYPES.items():
        text = re.sub(rf"(?<=; expected )(?:an? )?{kind}\b|(?<= as )(?:an? )?{kind}$", plain, text, count=1)
    return re.sub(r"^send (\w+) as ", r"give \1 as ", text)


def _named(text: str, names: Mapping[str, str]) -> str:
    """Replace keys by names: any key with an underscore, and the others where they are mentioned as keys."""
    known = "|".join(sorted(names, key=len, reverse=True))
    text = re.sub(rf"^({known}) is ", lambda found: f"{names[found[1]]} is ", text)
    text = re.sub(rf"\b(?:send|give) ({known}) as ", lambda found: f"choose {names[found[1]]} as ", text)
    return re.sub(r"\b[a-z]+(?:_[a-z0-9]+)+\b", lambda found: names.get(found[0], found[0]), text)


def sentence(*parts: str) -> str:
    """Join the parts of an error or a warning into whole sentences."""
    whole = [part.strip() for part in parts if part.strip()]
    return " ".join(_capitalised(part) + ("" if part.endswith((".", "!", "?", "…")) else ".") for part in whole)


def _capitalised(text: str) -> str:
    """Begin with a capital, unless the first word is an address, a file or the like, which has to stay as it is."""
    first = text.split(maxsplit=1)[0].rstrip(",;:")
    return text[:1].upper() + text[1:] if first.replace("'", "").replace("-", "").isalpha() else text
