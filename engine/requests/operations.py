"""The operations: each a frozen request whose fields are rows of the table, with their limits, defaults and help."""

from collections.abc import Sequence
from dataclasses import KW_ONLY
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from engine.audio import SAMPLE_RATES, Audio
from engine.errors import ClipTooLongError
from engine.requests.clip_checks import LONGEST_S, require_clip, require_follow, require_region
from engine.requests.documented import documented
from engine.requests.knob import DAWS, Knob, Text, plain_number
from engine.requests.regions import HIGHEST_HZ, LOWEST_HZ, Given, Region, merge_regions, parse_regions, require_band
from engine.requests.sampling import STRICT, Sampling, require_prompt

SHORTEST_GENERATED_S = 0.1
LOWEST_CUTOFF_HZ = 500.0

_CHOSEN = {
    "reaper": "the selected item is the clip",
    "ardour": "the selected region is the clip",
    "live_extension": "the clip that the menu was opened on is the clip",
    "live_surface": "the clip in Clip View is the clip",
}
_SELECTED = {
    "reaper": "the time selection is the part",
    "ardour": "the selected region, as it is trimmed, is the part",
    "live_extension": "the clip, as it is trimmed, is the part",
    "live_surface": "the clip in view, as it is trimmed, is the part",
}
_PART_IS_DRAWN = {
    "reaper": "the time selection is the region",
    "ardour": "the selected range is the region",
}
_ONE_REGION = {
    "window": "one region is drawn on the waveform; run it again for another",
    "reaper": "the time selection is one region; run the action again for another",
    "ardour": "the selected range is one region; run the action again for another",
    "live_extension": "the dialog asks for one region; run it again for another",
    "live_surface": "the surface inpaints one region of the clip in view at a time",
}
_HOST_RESAMPLES = dict.fromkeys(DAWS, "the host plays every rate at its project's")

FollowedCurves = Literal[
    "loudness",
    "brightness",
    "pitch",
    "loudness,brightness",
    "loudness,pitch",
    "brightness,pitch",
    "loudness,brightness,pitch",
]


OutputChannels = Literal["mono", "stereo"]
OutputBits = Literal["16", "24", "32"]


def in_words(bits: object) -> object:
    """Return a whole number, such as 24, as the word for it; everything else as it is."""
    number = plain_number(bits)
    return str(int(number)) if isinstance(number, int | float) and number in {16, 24, 32} else bits


def in_order(names: object) -> object:
    """Return names with commas between them in the order of `FollowedCurves`; everything else as it is."""
    if not isinstance(names, str):
        return names
    given = [name.strip() for name in names.split(",")]
    known = [name for name in ("loudness", "brightness", "pitch") if name in given]
    return ",".join(known) if len(known) == len(given) else names


ClipField = Annotated[
    Audio,
    PlainValidator(require_clip),
    Knob(
        "Clip",
        "the audio file to start from: WAV, AIFF, FLAC, Ogg or MP3; mono or stereo",
        kind="path",
        schema={"type": "string"},
        leaves_out=_CHOSEN,
    ),
]
KeepAir = Annotated[
    bool,
    Knob(
        "Keep the highs",
        "keep the clip's own sound above the model's highest frequency; otherwise it is replaced by noise shaped like"
        " its surroundings",
    ),
]
Strength = Annotated[
    float, Knob("Strength", "0 keeps the clip, 1 keeps only its length", lowest=0, highest=1, metavar="S")
]
Start = Annotated[
    float | None,
    Knob(
        "Start",
        "where the part to change starts, counted from the clip's start",
        unit="s",
        option="start",
        default="the clip's start",
        leaves_out=_SELECTED,
    ),
]
End = Annotated[
    float | None,
    Knob(
        "End",
        "where the part to change ends, counted from the clip's start",
        unit="s",
        option="end",
        default="the clip's end",
        leaves_out=_SELECTED,
    ),
]


@documented
@dataclass(frozen=True, config=STRICT)
class Generate(Sampling):
    """A sound of exactly `seconds`, at 48 kHz (with `model_band` at the model's rate); mono, or stereo with a width.

    It is delivered as asked: with 24 bits, and in the channels of the model unless others are wanted.

    Generate("rain on a tin roof")
    Generate("a dog barks", seconds=2.5, seed=7, candidates=4)
    Generate(like=clip)                                a new sound like that of another clip, as loud
    Generate("a dog barks", like=clip, like_weight=0.3)
    Generate("rain", width=1)                          all around the listener, in stereo
    Generate("a dog barks", tries=4)                   one that matches the words, or the best of four
    Generate("wind", follow=hum)                       as loud, from moment to moment, as the hum, and as long
    Generate("a siren", follow=hum, follow_what="loudness,pitch")
    Generate("rain", model_band=True)                  without the highs that are made above the model's band
    Generate("rain", output_rate=96_000, output_channels="stereo", output_bits=32)
    Generate("church bell", negative_prompt="birds", guidance=3.0, steps=50, sampler="ddim")
    """

    prompt: Annotated[
        Text,
        Knob("Prompt", 'what it should sound like, such as "rain on a tin roof"; may be empty when like is given'),
    ] = ""
    seconds: Annotated[
        float,
        Knob(
            "Length",
            "length of the sound; without one, that of the clip to follow",
            unit="s",
            lowest=SHORTEST_GENERATED_S,
            highest=LONGEST_S,
            metavar="S",
        ),
    ] = 5.12
    tries: Annotated[
        int | None,
        Knob(
            "Tries",
            "how often to try at most until the sound matches the prompt (by its CLAP score); the best is kept",
            lowest=1,
            highest=16,
            default="the model's",
        ),
    ] = None
    _: KW_ONLY
    width: Annotated[
        float,
        Knob(
            "Width",
            "0 is mono, 1 stereo as wide as such a sound is in nature: ambiences are all around, others have a place",
            lowest=0,
            highest=1,
            metavar="W",
            leaves_out={"ardour": "the take goes onto the selected track, which may be mono"},
        ),
    ] = 0.0
    follow: Annotated[
        Audio | None,
        PlainValidator(require_follow),
        Knob(
            "Follow this clip",
            "an audio file, such as a hum, taps or a whistle, that the sound follows from moment to moment",
            kind="path",
            metavar="CLIP",
            schema={"type": "string"},
        ),
    ] = None
    follow_what: Annotated[
        FollowedCurves,
        BeforeValidator(in_order),
        Knob(
            "What to follow",
            "what of that clip the sound follows; pitch and brightness by how far they move, not by where they are",
        ),
    ] = "loudness"
    output_rate: Annotated[
        int | None,
        Knob(
            "Sample rate",
            "sample rate of the result",
            unit="Hz",
            lowest=SAMPLE_RATES[0],
            highest=SAMPLE_RATES[1],
            default="48 kHz, or the model's with only its band",
        ),
    ] = None
    output_channels: Annotated[
        OutputChannels | None,
        Knob(
            "Channels",
            "channels of the result: one sound is the same on both sides, and two become their mean",
            default="those that are made",
        ),
    ] = None
    output_bits: Annotated[
        OutputBits,
        BeforeValidator(in_words),
        Knob("Bits", "bits of a sample in the file; 16 are dithered, and 32 are floats", kind="bits"),
    ] = "24"

    @model_validator(mode="before")
    @classmethod
    def _as_long_as_followed(cls, values: Any) -> Any:
        """A sound that follows a clip is as long as the clip, unless a length is given."""
        given = values.kwargs or {}
        if not isinstance(given.get("follow"), Audio) or "seconds" in given or len(values.args) > 1:
            return values
        seconds = min(max(given["follow"].seconds, SHORTEST_GENERATED_S), LONGEST_S)
        return ArgsKwargs(values.args, {**given, "seconds": seconds})

    def __post_init__(self) -> None:
        require_prompt(self.prompt, self.like)


@documented
@dataclass(frozen=True, config=STRICT)
class Restyle(Sampling):
    """The clip in another sound: same rate, channels, length and loudness.

    Restyle(clip, "thunder")
    Restyle(clip, "an orchestra", strength=0.7, start_s=1.0, end_s=2.5)
    Restyle(clip, like=other)                 towards the sound of another clip
    Restyle(clip, "rain", structure=0)        plain noising: its rise and fall in loudness may go
    Restyle(clip, "rain", keep_air=True)      what lies above the model's band stays the clip's own
    """

    clip: ClipField
    prompt: Annotated[Text, Knob("Prompt", "what the clip should become; may be empty when like is given")] = ""
    strength: Strength = 0.5
    start_s: Start = None
    end_s: End = None
    keep_air: KeepAir = False
    structure: Annotated[
        float | None,
        Knob(
            "Structure",
            "how closely the clip's rise and fall in loudness is followed, at every strength; 0 ignores it",
            lowest=0,
            highest=1,
            metavar="S",
            default="the model's",
        ),
    ] = None

    def __post_init__(self) -> None:
        require_prompt(self.prompt, self.like)
        require_region(self.clip, self.start_s, self.end_s)


@documented
@dataclass(frozen=True, config=STRICT)
class Inpaint(Sampling):
    """The clip with its regions replaced, in all frequencies or in a band.

    Inpaint(clip, "glass breaks", regions=[(1.0, 2.0)])
    Inpaint(clip, "birds", regions=[(0.5, 1.0), (3.0, 4.5)])
    Inpaint(clip, "wind", regions=[(0.0, 3.0)], high_hz=500)               only what lies below 500 Hz
    Inpaint(clip, "rain", regions=[(0, 1), (2, 3, 2000, 4000), (2, 4, None, 300)])    bands of their own

    Regions are (start_s, end_s) or (start_s, end_s, low_hz, high_hz), in any order; they may overlap.
    """

    clip: ClipField
    prompt: Annotated[Text, Knob("Prompt", "what the regions should sound like; may be empty when like is given")] = ""
    regions: Annotated[
        Sequence[Given],
        PlainValidator(parse_regions),
        Field(validate_default=True),
        Knob(
            "Start",
            "where the first region starts, counted from the clip's start",
            unit="s",
            wire="start_s",
            option="start",
            kind="float",
            schema={"type": "number", "minimum": 0},
            leaves_out=_PART_IS_DRAWN,
        ),
        Knob(
            "End",
            "where the first region ends, counted from the clip's start",
            unit="s",
            wire="end_s",
            option="end",
            kind="float",
            schema={"type": "number", "minimum": 0},
            leaves_out=_PART_IS_DRAWN,
        ),
        Knob(
            "Further regions",
            "another region: its start and end in seconds, and, to limit it to a frequency band, its lowest and"
            " highest frequency in Hz",
            wire="region",
            kind="region",
            metavar="N",
            schema={"type": "array", "items": {"type": "string"}, "default": []},
            leaves_out=_ONE_REGION,
        ),
    ] = ()
    low_hz: Annotated[
        float | None,
        Knob(
            "Lowest frequency",
            "replace only what is above this frequency, in regions without a band of their own",
            unit="Hz",
            lowest=0,
            highest=HIGHEST_HZ,
            default="every frequency",
        ),
    ] = None
    high_hz: Annotated[
        float | None,
        Knob(
            "Highest frequency",
            "replace only what is below this frequency, in regions without a band of their own",
            unit="Hz",
            lowest=LOWEST_HZ,
            highest=HIGHEST_HZ,
            default="every frequency",
        ),
    ] = None
    keep_air: KeepAir = False

    def __post_init__(self) -> None:
        require_prompt(self.prompt, self.like)
        require_band(self.low_hz, self.high_hz)
        seconds = sum(end - start for start, end in self.sample_regions()) / self.clip.sample_rate
        if seconds > LONGEST_S:
            raise ClipTooLongError(seconds, LONGEST_S)

    def sample_regions(self) -> list[Region]:
        """Return the regions in samples of the clip, in order, none touching another."""
        return merge_regions(require_region(self.clip, start_s, end_s) for start_s, end_s, *_ in self.regions)


@documented
@dataclass(frozen=True, config=STRICT)
class Vary(Sampling):
    """Another take of the clip: same rate, channels, length and loudness; its own sound is the prompt.

    Vary(clip)
    Vary(clip, strength=0.7, candidates=4)              further away, and several to choose from
    Vary(clip, prompt="rain", start_s=1.0, end_s=2.5)   a region; half its own sound, half the words' (`like_weight`)
    """

    clip: ClipField
    strength: Strength = 0.4
    prompt: Annotated[Text, Knob("Prompt", "words to mix with the clip's own sound; may be empty")] = ""
    start_s: Start = None
    end_s: End = None
    keep_air: KeepAir = False

    def __post_init__(self) -> None:
        require_region(self.clip, self.start_s, self.end_s)


@documented
@dataclass(frozen=True, config=STRICT)
class Upscale(Sampling):
    """The clip with sound above its cutoff, as high as its rate allows; below it stays what it was.

    Upscale(clip)                             from where the clip's own band ends, as its spectrum shows
    Upscale(clip, "birds", cutoff_hz=4_000)   words help, and the cutoff may be said
    Upscale(clip, output_rate=48_000)

    Take minus clip is 100 dB below the new band, or less, up to 0.9 times the cutoff. A clip whose rate is below 40 kHz
    comes back at 48 kHz, or at `output_rate`; its story says so. With `model_band` the new band ends where the model's
    does, and a rate that is too low for it becomes the model's, 16 kHz for all published ones.
    """

    clip: ClipField
    prompt: Annotated[
        Text, Knob("Prompt", "words for the new highs; when empty, the clip's own sound is the prompt")
    ] = ""
    cutoff_hz: Annotated[
        float | None,
        Knob(
            "Cutoff",
            "the clip is kept unchanged up to this frequency",
            unit="Hz",
            lowest=LOWEST_CUTOFF_HZ,
            highest=HIGHEST_HZ,
            default="found from the clip's spectrum",
        ),
    ] = None
    start_s: Start = None
    end_s: End = None
    output_rate: Annotated[
        int | None,
        Knob(
            "Sample rate",
            "sample rate of the result",
            unit="Hz",
            lowest=SAMPLE_RATES[0],
            highest=SAMPLE_RATES[1],
            default="the clip's, or 48 kHz where that is below 40 kHz",
            leaves_out=_HOST_RESAMPLES,
        ),
    ] = None

    def __post_init__(self) -> None:
        require_region(self.clip, self.start_s, self.end_s)


Request = Generate | Restyle | Inpaint | Upscale | Vary
