"""How an `Audio` looks in a notebook: a line of facts, its waveform, and a player; all of it inside the page itself."""

import base64
import struct
from collections.abc import Mapping
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.floating[Any]]  # [C, T], full scale is 1

PLAYED_BYTES = 2_000_000  # of a clip's samples, at 16 bits: 62 s of mono at 16 kHz; a notebook keeps every one of them
LONGEST_PROMPT = 300  # characters that are shown
COLUMNS = 400  # of the waveform, at most
_WIDTH, _LANE = 400, 48  # of the drawing, in its own units; height of a channel
_PEAK = 32_767


def audio_html(samples: Samples, sample_rate: int, story: Mapping[str, Any]) -> str:
    """Samples [C, T] and their story -> HTML that needs no other file; what comes from the story is escaped."""
    channels, length = samples.shape
    facts = [f"{length / sample_rate:.2f} s", f"{sample_rate} Hz", "mono" if channels == 1 else "stereo"]
    played = min(length, PLAYED_BYTES // (2 * channels))
    if played < length:
        facts.append(f"the player has the first {played / sample_rate:.0f} s")
    if "seed" in story:
        facts.append(f"seed {story['seed']}")
    prompt = str(story.get("prompt") or "")[:LONGEST_PROMPT]
    caption = f"<div><b>{escape(prompt)}</b></div>" if prompt else ""
    wav = base64.b64encode(wav_bytes(samples[:, :played], sample_rate)).decode("ascii")
    return (
        f'<div style="max-width: 40em">{caption}{waveform_svg(samples)}'
        f'<audio controls preload="metadata" style="width: 100%" src="data:audio/wav;base64,{wav}"></audio>'
        f"<div><small>{escape(' · '.join(facts))}</small></div></div>"
    )


def wav_bytes(samples: Samples, sample_rate: int) -> bytes:
    """Samples [C, T] -> a WAV of 16 bits, which every browser plays; samples beyond full scale are clipped."""
    channels = samples.shape[0]
    data: bytes = np.rint(np.clip(samples.T, -1, 1) * _PEAK).astype("<i2").tobytes()
    layout = struct.pack("<HHIIHH", 1, channels, sample_rate, 2 * channels * sample_rate, 2 * channels, 16)
    head = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16)
    return head + layout + b"data" + struct.pack("<I", len(data)) + data


def waveform_svg(samples: Samples) -> str:
    """Samples [C, T] -> a drawing of all of them, a lane for each channel: lowest and highest of each column."""
    height = _LANE * samples.shape[0]
    lanes = "".join(_lane(channel, index) for index, channel in enumerate(samples))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" preserveAspectRatio="none"'
        f' role="img" aria-label="waveform" fill="currentColor"'
        f' style="display: block; width: 100%; height: {height}px">{lanes}</svg>'
    )


def _lane(channel: Samples, index: int) -> str:
    """Draw one channel [T] as one closed outline around zero."""
    columns = min(COLUMNS, len(channel))
    edges = np.linspace(0, len(channel), columns + 1).astype(int)
    extremes = [(channel[start:end].min(), channel[start:end].max()) for start, end in pairwise(edges)]
    middle, step = _LANE * (index + 0.5), _WIDTH / columns

    def y(sample: float) -> float:
        return middle - float(np.clip(sample, -1, 1)) * (_LANE / 2 - 1)

    upper = [f"{column * step:.1f},{y(high) - 0.5:.1f}" for column, (_, high) in enumerate(extremes)]
    lower = [f"{column * step:.1f},{y(low) + 0.5:.1f}" for column, (low, _) in enumerate(extremes)]
    return f'<polygon points="{" ".join([*upper, *reversed(lower)])}"/>'
