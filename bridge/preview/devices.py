"""The output devices of this machine, as PortAudio sees them; the only module that imports `sounddevice`."""

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.errors import AudioLibraryMissingError, DeviceUnknownError, NoOutputDeviceError, PreviewFailedError

LATENCY_S = 0.2
"""How far ahead the device is fed: enough while the machine renders, and a stop still sounds immediate."""

_FRESH_S = 10.0
"""How long the list of devices is taken as current; then PortAudio reads it again."""


@dataclass(frozen=True)
class Output:
    """A device to play on; `sample_rate` in Hz is its default; others may work as well."""

    index: int
    name: str
    host: str
    channels: int
    sample_rate: int
    is_default: bool


class Outputs:
    """The devices of this machine. Raises AudioLibraryMissingError where PortAudio is not installed."""

    def __init__(self) -> None:
        try:
            self.portaudio: Any = importlib.import_module("sounddevice")  # fails where PortAudio is missing
        except (OSError, ImportError) as error:
            raise AudioLibraryMissingError(error) from error
        self._looked_at = time.monotonic()

    def refresh(self) -> None:
        """Read the list again, unless that was done a moment ago. Nothing may play meanwhile."""
        if time.monotonic() - self._looked_at < _FRESH_S:
            return
        self.portaudio._terminate()  # noqa: SLF001 - PortAudio lists devices only when it starts
        self.portaudio._initialize()  # noqa: SLF001
        self._looked_at = time.monotonic()

    def listed(self) -> list[Output]:
        """Return every device that can play."""
        hosts = [host["name"] for host in self.portaudio.query_hostapis()]
        default = self._default_index()
        return [
            Output(
                index=entry["index"],
                name=entry["name"],
                host=hosts[entry["hostapi"]],
                channels=entry["max_output_channels"],
                sample_rate=round(entry["default_samplerate"]),
                is_default=entry["index"] == default,
            )
            for entry in self.portaudio.query_devices()
            if entry["max_output_channels"] > 0
        ]

    def settle_rate(self, output: Output, rate: int, num_channels: int) -> int:
        """Return the rate to play at: the file's own where the device takes it, otherwise the device's.

        Raises PreviewFailedError when it takes neither.
        """
        refusal: Exception | None = None
        for candidate in (rate, output.sample_rate):
            try:
                self.portaudio.check_output_settings(output.index, num_channels, "float32", samplerate=candidate)
            except self.portaudio.PortAudioError as error:
                refusal = error
            else:
                return candidate
        raise PreviewFailedError(
            f"{output.name} takes neither {rate} Hz nor its own {output.sample_rate} Hz: {refusal}"
        )

    def _default_index(self) -> int:
        try:
            return int(self.portaudio.query_devices(kind="output")["index"])
        except (self.portaudio.PortAudioError, ValueError):
            return -1


def choose(outputs: Sequence[Output], name: str) -> Output:
    """Find a device by its name or a part of it, in any case; an empty name is the system's choice.

    Raises NoOutputDeviceError when there is none at all, DeviceUnknownError when none has that name.
    """
    if not outputs:
        raise NoOutputDeviceError
    wanted = name.strip().casefold()
    if not wanted:
        return next((output for output in outputs if output.is_default), outputs[0])
    homes = {output.host for output in outputs if output.is_default}
    ranked = sorted(outputs, key=lambda output: (output.name.casefold() != wanted, output.host not in homes))
    for output in ranked:
        if wanted in f"{output.name}, {output.host}".casefold():
            return output
    raise DeviceUnknownError(name, dict.fromkeys(output.name for output in outputs))
