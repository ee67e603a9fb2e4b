"""One preview as it plays: a thread reads ahead from disk, PortAudio's own thread takes what it needs.

They meet in a buffer, where PortAudio never waits for the disk: when that is late there is silence, not a stuck device.
"""

import contextlib
import logging
import math
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from bridge.errors import BridgeError, PreviewFailedError
from bridge.preview.devices import LATENCY_S, Outputs, choose
from bridge.preview.file_reader import Block, FilePart, fit
from bridge.wire.messages import MIN_LEVEL_DB, Preview, PreviewReply

LEAVE_S = 0.015
"""How long a preview that is stopped fades out."""

_TAIL_S = 0.1
"""How much longer than its stated latency the device may take to play what it got last."""
_BUFFER_BLOCKS = 20
_STALL_S = 8.0
"""How long a disk or a device may do nothing before the preview fails."""

log = logging.getLogger(__name__)


class RingBuffer:
    """Passes blocks from the thread that reads, about a second ahead, to the one that plays.

    `take` runs on PortAudio's thread and must not wait: it uses get_nowait, and `_rest` belongs to it alone.
    """

    def __init__(self, blocks: Iterator[Block]) -> None:
        self.is_ready = threading.Event()
        self.error: BaseException | None = None
        self.is_over = False
        self._queue: queue.Queue[Block | None] = queue.Queue(_BUFFER_BLOCKS)
        self._rest: Block | None = None
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._load, args=(blocks,), daemon=True)
        self._thread.start()

    def take(self, out: Block) -> int:
        """Fill `out` from its beginning, and return the number of frames that were there; never waits."""
        filled = 0
        while filled < len(out):
            if self._rest is None and not self._fetch():
                break
            assert self._rest is not None
            piece = self._rest[: len(out) - filled]
            out[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._rest = self._rest[len(piece) :] if len(piece) < len(self._rest) else None
        return filled

    def close(self) -> None:
        self._is_closed.set()
        self._thread.join(_STALL_S)

    def _fetch(self) -> bool:
        try:
            block = None if self.is_over else self._queue.get_nowait()
        except queue.Empty:
            return False
        self.is_over = block is None
        self._rest = block
        return block is not None

    def _load(self, blocks: Iterator[Block]) -> None:
        try:
            for block in blocks:
                if len(block) and not self._put(block):
                    return
        except Exception as error:  # noqa: BLE001 - `Playback.check` raises it on the main thread
            self.error = error
        self._put(None)
        self.is_ready.set()

    def _put(self, block: Block | None) -> bool:
        """Add a block as soon as there is room; False when the buffer was closed.

        With a timeout instead of a plain wait: after `close` nothing is taken, so there would never be room.
        """
        while not self._is_closed.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(block, timeout=0.1)
                if self._queue.qsize() > _BUFFER_BLOCKS // 2:
                    self.is_ready.set()
                return True
        return False


class Playback:
    """Plays a part of a file on a device. Raises the errors of `choose`, and PreviewFailedError.

    PortAudio calls `_play` on its own thread, which must not wait, so there is no lock. Only that thread counts frames;
    the main one reads the counters, each a number that is replaced whole, and sets `_is_leaving`.
    """

    def __init__(self, request: Preview, part: FilePart, outputs: Outputs) -> None:
        self._path = request.path
        self._part = part
        self._buffer: RingBuffer | None = None
        self._stream: Any = None
        self._has_begun, self._has_ended = threading.Event(), threading.Event()
        self._stop_sign = outputs.portaudio.CallbackStop
        self._num_played = self._num_late = self._num_after = self._num_faded = self._num_calls = 0
        self._latency_s = LATENCY_S
        self._is_leaving = False
        self._peak = 0.0
        self._seen = (0, time.monotonic())
        try:
            self._open(request, outputs)
        except BaseException:
            self.close()
            raise

    @property
    def is_over(self) -> bool:
        """Whether everything was played."""
        return self._buffer is not None and self._buffer.is_over and self._has_ended.is_set()

    def start(self) -> None:
        """Begin, and return as soon as the device has taken its first frames. Raises PreviewFailedError."""
        try:
            self._stream.start()
        except Exception as error:
            raise PreviewFailedError(error) from error
        while not self._has_begun.wait(0.1):
            self.check()

    def check(self) -> None:
        """Raise PreviewFailedError when the disk or the device failed."""
        assert self._buffer is not None
        if self._buffer.error is not None:
            raise _explained(self._buffer.error)
        if self._has_ended.is_set() and not self._buffer.is_over:
            raise PreviewFailedError("the device went away")
        if self._num_calls != self._seen[0]:
            self._seen = (self._num_calls, time.monotonic())
        elif time.monotonic() - self._seen[1] > _STALL_S:
            raise PreviewFailedError(f"the device took no sound for {_STALL_S:g} s")

    def report(self, state: str) -> PreviewReply:
        """Return the position, and the peak level since the last report."""
        peak, self._peak = self._peak, 0.0
        level_db = max(MIN_LEVEL_DB, 20 * math.log10(peak)) if peak > 0 else MIN_LEVEL_DB
        position_s = self._part.position_s(self._num_played / self._rate)
        return PreviewReply(state, self._path, round(position_s, 3), round(self._part.file_s, 3), round(level_db, 2))

    def leave(self) -> None:
        """Fade out, and wait until that was played."""
        self._is_leaving = True
        deadline = time.monotonic() + _STALL_S
        while self._num_faded < LEAVE_S * self._rate and not self._has_ended.is_set() and time.monotonic() < deadline:
            time.sleep(0.005)
        self._has_ended.wait(self._latency_s + _TAIL_S)

    def close(self) -> None:
        """Close the device at once, and stop reading the file."""
        if self._stream is not None:
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)
        if self._buffer is not None:
            self._buffer.close()
        if self._num_late:
            log.warning("the disk was late: %d frames of silence", self._num_late)

    def _open(self, request: Preview, outputs: Outputs) -> None:
        output = choose(outputs.listed(), request.device or "")
        num_channels = min(2, output.channels)
        self._rate = outputs.settle_rate(output, self._part.sample_rate, num_channels)
        self._buffer = RingBuffer(
            fit(self._part.blocks(), self._part, self._rate, num_channels, request.level_db or 0.0)
        )
        if not self._buffer.is_ready.wait(_STALL_S):
            raise PreviewFailedError(f"nothing of {self._path} could be read within {_STALL_S:g} s")
        if self._buffer.error is not None:
            raise _explained(self._buffer.error)
        try:
            self._stream = outputs.portaudio.OutputStream(
                samplerate=self._rate,
                device=output.index,
                channels=num_channels,
                dtype="float32",
                latency=LATENCY_S,
                callback=self._play,
                finished_callback=self._has_ended.set,
            )
        except Exception as error:
            raise PreviewFailedError(error) from error
        self._latency_s = float(self._stream.latency)

    def _play(self, out: Block, num_frames: int, _time: Any, _status: Any) -> None:
        """Fill what PortAudio asks for; on its thread, so that nothing here may wait."""
        assert self._buffer is not None
        filled = self._buffer.take(out)
        out[filled:] = 0
        if self._is_leaving:
            ramp = 1 - (self._num_faded + np.arange(num_frames)) / (LEAVE_S * self._rate)
            out *= np.clip(ramp, 0, 1)[:, None]
            self._num_faded += num_frames
        self._num_calls += 1
        self._num_played += filled
        self._peak = max(self._peak, float(np.abs(out).max(initial=0.0)))
        self._has_begun.set()
        if not self._buffer.is_over:
            self._num_late += num_frames - filled
            return
        self._num_after += num_frames - filled
        if self._num_after > (self._latency_s + _TAIL_S) * self._rate:  # PortAudio drops what is in its buffer then
            raise self._stop_sign


def _explained(error: BaseException) -> BridgeError:
    return error if isinstance(error, BridgeError) else PreviewFailedError(error)
