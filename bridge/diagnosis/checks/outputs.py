"""Whether there is an audio output; a child process asks PortAudio, which may crash."""

from collections.abc import Iterator

from bridge.diagnosis.checks.asking import ask
from bridge.diagnosis.checks.finding import Finding, ok, warning
from bridge.diagnosis.checks.surroundings import Surroundings

_TIMEOUT_S = 30.0


def check_outputs(_: Surroundings) -> Iterator[Finding]:
    answer = ask("examine", "outputs", timeout_s=_TIMEOUT_S)
    if answer.trouble:
        yield warning(
            "audio output",
            f"previews cannot be played: {answer.trouble}",
            "install sounddevice (`pip install sounddevice`) and, on Linux, the system's libportaudio2",
        )
        return
    names = answer.facts["outputs"]
    if not names:
        yield warning(
            "audio output",
            "the system has no audio output, so previews cannot be played; rendering needs none",
            "connect or switch on a device, and check that no other program uses it exclusively",
        )
        return
    default = answer.facts["default"]
    text = f"{len(names)} found" if len(names) > 1 else names[0]
    yield ok("audio output", f"{text}; the default is {default}" if default and len(names) > 1 else text)
