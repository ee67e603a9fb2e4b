"""An `Audio` in a notebook: a player that plays it, a picture of it, bounded in size, and nothing unescaped."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import soundfile

from engine.audio import Audio
from engine.engine import Engine
from engine.notebook import COLUMNS, PLAYED_BYTES


def tone(seconds: float, rate: int = 16_000, channels: int = 1, gain: float = 0.5) -> Audio:
    """A fading tone."""
    time = np.arange(round(seconds * rate)) / rate
    return Audio(np.tile(gain * np.sin(2 * np.pi * 440 * time) * np.exp(-time), (channels, 1)).astype(np.float32), rate)


def played(clip: Audio) -> tuple[np.ndarray, int]:
    """What the player in the page plays, [T, C], as libsndfile reads it."""
    (data,) = re.findall(r'src="data:audio/wav;base64,([^"]+)"', clip._repr_html_())
    return soundfile.read(BytesIO(base64.b64decode(data)), always_2d=True)


def drawing(clip: Audio) -> ET.Element:
    (svg,) = re.findall(r"<svg.*?</svg>", clip._repr_html_(), re.DOTALL)
    return ET.fromstring(svg)


class Tags(HTMLParser):
    """Collects the tags that a page really has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words += data


class TestPlayer:
    @pytest.mark.parametrize("channels", [1, 2])
    def test_plays_the_clip_to_16_bits(self, channels: int) -> None:
        clip = tone(0.5, 44_100, channels)
        samples, rate = played(clip)

        assert rate == 44_100
        assert samples.shape == (22_050, channels)
        assert np.abs(samples.T - clip.samples).max() < 2 / 32_768

    def test_what_is_beyond_full_scale_is_clipped_and_not_turned_over(self) -> None:
        samples, _ = played(tone(0.1, gain=3.0))

        assert 0.999 < np.abs(samples).max() <= 1

    def test_of_a_long_clip_has_the_beginning_and_says_so(self) -> None:
        clip = tone(120.0, 48_000, 2)
        samples, _ = played(clip)

        assert samples.size * 2 == PLAYED_BYTES
        assert "the player has the first 10 s" in Tags(clip._repr_html_()).words
        assert len(clip._repr_html_()) < 1.4 * PLAYED_BYTES


class TestPicture:
    @pytest.mark.parametrize(("clip", "lanes"), [(tone(1.0), 1), (tone(30.0, 48_000, 2), 2), (tone(0.002), 1)])
    def test_has_a_lane_for_each_channel_and_few_columns(self, clip: Audio, lanes: int) -> None:
        outlines = [polygon.attrib["points"].split() for polygon in drawing(clip)]

        assert len(outlines) == lanes
        assert all(len(points) == 2 * min(COLUMNS, clip.num_samples) for points in outlines)

    def test_is_tall_where_the_clip_is_loud(self) -> None:
        points = [tuple(map(float, point.split(","))) for point in drawing(tone(4.0))[0].attrib["points"].split()]
        upper = [y for _, y in points[: len(points) // 2]]

        assert upper[0] < upper[200] < upper[-1] < 24


class TestPage:
    def test_words_of_the_story_are_escaped(self) -> None:
        evil = "</div><script>alert('x')</script><img src=x onerror=alert(1)>"
        clip = Audio(tone(0.1).samples, 16_000, {"prompt": evil, "seed": "<b>7</b>"})
        page = Tags(clip._repr_html_())

        assert {"script", "img"}.isdisjoint(page.seen)
        assert evil in page.words
        assert "seed <b>7</b>" in page.words

    def test_says_length_rate_and_channels(self) -> None:
        assert "2.50 s · 16000 Hz · stereo" in Tags(tone(2.5, 16_000, 2)._repr_html_()).words


class TestOneLine:
    def test_of_a_clip(self, tmp_path) -> None:
        take = Audio(tone(2.5).samples, 16_000, {"prompt": "heavy\nrain", "seed": 7})
        take.write(tmp_path / "rain.wav")

        assert repr(take) == "<Audio 2.50 s, 16000 Hz, mono, 'heavy rain', seed 7>"
        assert repr(Audio.read(tmp_path / "rain.wav")) == "<Audio 2.50 s, 16000 Hz, mono, 'rain.wav'>"
        assert len(repr(Audio(take.samples, 16_000, {"prompt": "x" * 500}))) < 120

    def test_of_an_engine(self) -> None:
        engine = Engine.load("tiny", device="cpu")
        assert repr(engine) == "<Engine 'tiny' on cpu>"
        engine.unload()
        assert repr(engine) == "<Engine 'tiny' unloaded>"
