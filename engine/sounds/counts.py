"""The sounds whose events a listener counts: the room that one event needs, and how a counted event is called."""

from __future__ import annotations

from dataclasses import dataclass

NUMBERS: dict[str, tuple[str, ...]] = {
    "once": ("a single", "one", "just one"),
    "twice": ("two", "2"),
    "three times": ("three", "3"),
}
"""Values of the attribute "count", for one, two and three events, and how each stands before a noun."""


@dataclass(frozen=True)
class Countable:
    """A sound of separate events; a leading "*" keeps a noun or a clause from training."""

    seconds: float  # that one event fills before the next one, or the end of the clip
    nouns: tuple[str, ...]  # one event, in the singular
    clauses: tuple[str, ...]  # subject and verb, parted by "/"


def _countable(seconds: float, nouns: str, clauses: str = "") -> Countable:
    return Countable(seconds, *(tuple(filter(None, map(str.strip, part.split(";")))) for part in (nouns, clauses)))


COUNTABLE: dict[str, Countable] = {
    "dog": _countable(0.25, "dog bark; bark; *woof", "a dog / barks; *a puppy / barks"),
    "cat": _countable(0.6, "meow; *cat meow", "a cat / meows; *a kitten / meows"),
    "cow": _countable(2.0, "moo; *cow moo", "a cow / moos; *a mooing cow / calls"),
    "frog": _countable(0.4, "croak; frog croak; *toad croak", "a frog / croaks; *a toad / croaks"),
    "drops": _countable(0.25, "water drop; drip; *water droplet", "water / drips; *a tap / drips"),
    "train_horn": _countable(
        0.5,
        "train horn blast; horn blast; *locomotive horn blast",
        "a train / blows its horn; a train horn / blows; *a train / honks its horn",
    ),
    "knock": _countable(
        0.25,
        "knock; *door knock",
        "someone / knocks; someone / knocks on a door; *a person / knocks at the door",
    ),
    "explosion": _countable(1.4, "explosion; blast; boom; *bomb blast", "a bomb / explodes; *a bomb / goes off"),
    "glass": _countable(
        1.3, "glass smash; *window smash", "glass / breaks; glass / shatters; *a window / breaks; *a glass / breaks"
    ),
    "whoosh": _countable(0.5, "whoosh; swish; *swoosh", "something / whooshes past; *something / swooshes by"),
    "door_creak": _countable(2.0, "creak; door creak; *hinge creak", "a door / creaks; *a hinge / creaks"),
    "alarm": _countable(0.2, "beep; electronic beep; *alarm beep", "an alarm / beeps; *a warning alarm / beeps"),
    "phone": _countable(1.0, "phone ring; *phone ringtone", "a phone / rings; a telephone / rings; *the phone / rings"),
    "laser": _countable(0.3, "laser shot; *blaster shot", "a laser gun / fires; *a ray gun / fires"),
    "coin": _countable(0.4, "coin; coin sound; *coin effect", "a coin / rings; *a coin / sounds"),
    "kick": _countable(0.3, "kick drum hit; kick; *bass drum hit", "a kick drum / thumps; *a bass drum / thumps"),
    "snare": _countable(0.2, "snare hit; snare drum hit; *snare drum beat", "a snare / is hit; *a snare drum / is hit"),
    "hihat": _countable(0.15, "hi-hat hit; *hihat hit", "a hi-hat / is hit; *a hihat / is hit"),
    "bell": _countable(0.4, "bell ring; hand bell ring; *bike bell ring", "a bell / rings; *a handbell / rings"),
    "church_bell": _countable(
        1.2, "church bell stroke; *church bell toll", "a church bell / rings; *a church bell / tolls"
    ),
    "wood_impact": _countable(
        0.4, "wood impact; wooden thud; *plank impact", "a plank / drops; a log / falls; *a wooden plank / falls"
    ),
    "metal_impact": _countable(
        0.6, "metal clang; metal impact; *pipe clang", "a metal pipe / falls; *a steel pipe / drops"
    ),
    "tom": _countable(0.3, "tom hit; tom drum hit; *tom-tom hit", "a tom / is hit; *a tom-tom / is hit"),
    "cymbal": _countable(1.2, "cymbal crash; cymbal hit; *cymbal stroke", "a cymbal / crashes; *a cymbal / is hit"),
    "crow": _countable(0.5, "caw; crow caw; *raven caw", "a crow / caws; *a raven / caws"),
    "duck": _countable(0.3, "quack; *mallard quack", "a duck / quacks; *a mallard / quacks"),
    "cuckoo": _countable(0.6, "cuckoo call; *cuckoo bird call", "a cuckoo / calls; *a cuckoo bird / calls"),
    "lion": _countable(1.4, "lion roar; roar; *tiger roar", "a lion / roars; *a tiger / roars"),
    "cough": _countable(0.45, "cough; hacking cough; *coughing sound", "someone / coughs; *a person / coughs"),
    "splash": _countable(0.8, "splash; *water splash", "something / splashes; *a stone / splashes"),
}


def _plural(noun: str) -> str:
    return noun + ("es" if noun.endswith(("sh", "ch", "s", "x")) else "s")


def counted_wordings(name: str, count: str, *, held_out: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ways to call `count` events of a sound: nouns with their number, and clauses to which the count is added."""
    entry = COUNTABLE[name]
    nouns, clauses = (
        [wording.removeprefix("*") for wording in wordings if wording.startswith("*") == held_out]
        for wordings in (entry.nouns, entry.clauses)
    )
    numbered = [f"{number} {noun if count == 'once' else _plural(noun)}" for number in NUMBERS[count] for noun in nouns]
    return tuple(numbered), tuple(clauses)
