"""The corpus's newer sounds of interfaces, circuits and music."""

from __future__ import annotations

from engine.sounds import drums, interface, rushes, synthetic, winds_and_bows
from engine.sounds.corpus_entry import ANYWHERE, SYNTHETIC, CorpusEntry, entry

ELECTRONIC: dict[str, CorpusEntry] = {
    "ui_success": entry(
        interface.ui_success,
        ANYWHERE,
        "a success chime; a confirmation sound; a success sound; a ui success sound; an interface confirmation; a "
        "confirmation jingle; a success jingle; a positive confirmation; a correct answer jingle; *a ui confirmation; "
        "*a confirmation chime; *an interface success jingle; *a correct answer confirmation",
        SYNTHETIC,
    ),
    "ui_error": entry(
        interface.ui_error,
        ANYWHERE,
        "an error sound; an error buzz; an interface error; a ui error sound; a wrong answer buzzer; an error beep; a "
        "failure buzzer; a computer error; an error message; *a computer error sound; *an error buzzer; *a ui error; "
        "*an interface error buzz",
        SYNTHETIC,
    ),
    "magic": entry(
        synthetic.magic,
        ANYWHERE,
        "magic sparkles; a magic spell; a magical shimmer; a magic shimmer; fairy dust; a magic spell | sparkling; a "
        "magic wand; a magical sparkle; sparkles ~ shimmering; *magic shimmers; *a spell | shimmering; *a magical "
        "spell; *sparkling fairy dust",
        SYNTHETIC,
    ),
    "robot": entry(
        synthetic.robot,
        ANYWHERE,
        "a robot; robots; a droid; an android; a robot sound; a robotic machine; a sci-fi robot; droids; a robot | "
        "working; *a robotic droid; *androids; *sounds of a robot; *a sci-fi droid",
        SYNTHETIC,
    ),
    "glitch": entry(
        synthetic.glitch,
        ANYWHERE,
        "a glitch; glitches; digital glitches; a digital glitch; a glitching computer; glitch noise; a signal | "
        "glitching; a data glitch; glitchy digital noise; *glitching noise; *computer glitches; *a computer | "
        "glitching; *glitchy data",
        SYNTHETIC,
    ),
    "riser": entry(
        rushes.riser,
        ANYWHERE,
        "a riser; a synth riser; a noise riser; an uplifter; a build-up; a cinematic riser; a tension riser; a synth "
        "build-up; a riser | building up; *a cinematic build-up; *a trailer riser; *risers ~ building up; *a noise "
        "uplifter",
        SYNTHETIC,
    ),
    "radio_static": entry(
        synthetic.radio_static,
        ANYWHERE,
        "radio static; static; static noise; a radio between stations; a radio | hissing; radio noise; static on a "
        "radio; a detuned radio; radio interference; *radio hiss; *static interference; *a detuned radio | hissing; "
        "*noise of a radio",
    ),
    "tom": entry(
        drums.tom,
        ANYWHERE,
        "a tom; tom-toms; a tom-tom; a tom drum; tom hits; a tom-tom | playing; a drum fill on toms; tom drum hits; "
        "a floor tom; *a tom-tom fill; *hits on a tom drum; *tom-toms ~ playing; *a tom fill",
    ),
    "cymbal": entry(
        drums.cymbal,
        ANYWHERE,
        "a cymbal; a cymbal crash; cymbals; a cymbal | crashing; a crash cymbal; cymbal hits; a cymbal | ringing; a "
        "drum kit's cymbal; cymbals ~ playing; *crashing cymbals; *a ringing cymbal; *cymbals ~ ringing; *hits on a "
        "cymbal",
    ),
    "violin": entry(
        winds_and_bows.violin,
        ANYWHERE,
        "a violin; a violin | playing; violin music; a violin melody; someone | playing the violin; a bowed violin; "
        "a fiddle; a fiddle | playing; a violin tune; *a violinist | playing the violin; *music on a violin; *a "
        "playing violin; *a fiddle tune",
    ),
    "trumpet": entry(
        winds_and_bows.trumpet,
        ANYWHERE,
        "a trumpet; a trumpet | playing; trumpet music; a trumpet melody; someone | playing the trumpet; a trumpet "
        "fanfare; trumpets; trumpets ~ playing; a trumpet tune; *a trumpeter | playing the trumpet; *music on a "
        "trumpet; *a playing trumpet; *trumpet fanfares",
    ),
}
