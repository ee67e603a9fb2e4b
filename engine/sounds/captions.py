"""Wordings for the sounds: from a name and its attributes to the sentences that a person would type."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

import numpy as np

from engine.sounds.corpus import CORPUS
from engine.sounds.counts import NUMBERS, counted_wordings


@dataclass(frozen=True)
class Synonyms:
    """Wordings of one attribute: before a noun, after a verb, or at the end of any phrase."""

    adjectives: tuple[str, ...] = ()
    adverbs: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()


def _words(adjectives: str = "", adverbs: str = "", endings: str = "") -> Synonyms:
    return Synonyms(*(tuple(filter(None, map(str.strip, part.split(",")))) for part in (adjectives, adverbs, endings)))


SYNONYMS: dict[str, dict[str, Synonyms]] = {
    "speed": {
        "slow": _words("slow, unhurried, leisurely", "slowly, unhurriedly", "at a slow pace"),
        "fast": _words("fast, rapid, quick", "fast, rapidly, quickly", "at a fast pace"),
    },
    "pitch": {
        "low": _words("low, deep, low-pitched", "", "at a low pitch, with a deep tone"),
        "high": _words("high, high-pitched, bright", "", "at a high pitch, with a high tone"),
    },
    "level": {
        "loud": _words("loud, very loud, powerful", "loudly, very loudly", "at full volume"),
        "quiet": _words("quiet, soft, faint", "quietly, softly, faintly", "at low volume"),
    },
    "space": {
        "near": _words("close, nearby, close-up", "", "close by, nearby, up close"),
        "distant": _words("distant, faraway, far-off", "", "in the distance, far away, from afar"),
        "hall": _words("reverberant, echoing", "", "in a large hall, with echo in a big room, reverberating in a hall"),
    },
    "intensity": {
        "heavy": _words("heavy, intense, hard", "heavily, hard", ""),
        "light": _words("light, gentle, thin", "lightly, gently", ""),
    },
    "size": {
        "roaring": _words("roaring, big, fierce", "fiercely", ""),
        "gentle": _words("gentle, small, calm", "gently, calmly", ""),
        "huge": _words("huge, big, massive", "", ""),
        "small": _words("small, little, minor", "", ""),
    },
    "running": {
        "idling": _words("idling, stationary, idle", "", "at idle"),
        "revving": _words("revving, accelerating, racing", "", "at high revs"),
    },
    "age": {
        "old": _words("old, vintage, old-fashioned"),
        "modern": _words("modern, digital, electronic"),
    },
    "floor": {
        "wooden floor": _words("", "", "on a wooden floor, on wood, on floorboards"),
        "gravel": _words("", "", "on gravel, on crunchy gravel, on a gravel path"),
        "cobbles": _words("", "", "on cobblestones, on cobbles, on a stone street"),
        "earth": _words("", "", "on soft ground, on earth, on a dirt track"),
        "snow": _words("", "", "on snow, in the snow, on fresh snow"),
        "metal": _words("", "", "on metal, on a metal grating, on metal stairs"),
    },
    "surface": {
        "wood": _words("", "", "on wood, into wood, on a wooden plank"),
        "metal": _words("", "", "on metal, on an anvil, on iron"),
    },
    "aircraft": {
        "propeller": _words("propeller, propeller-driven", "", "with propellers"),
        "jet": _words("jet, jet-powered", "", "with jet engines"),
    },
    "material": {
        "wooden": _words("wooden, woody, hollow wooden"),
        "metallic": _words("metallic, metal, ringing metal"),
    },
    "crowd": {
        "huge": _words("huge, large, massive", "in huge numbers, in great numbers"),
        "small": _words("small, sparse, scattered", "in small numbers, sparsely"),
    },
    "source": {
        "game": _words("video game, arcade, 8-bit", "", "in a video game, in an arcade game, picked up in a game"),
        "table": _words("metal, dropped, real", "", "on a table, on a hard table, dropped on a table"),
    },
    "robot": {
        "voice": _words("monotone, vocoded", "", "in a monotone, with a vocoder, in vocoded words"),
        "bleeps": _words("bleeping, blipping", "", "in bleeps, in blips and bleeps, with bleeps"),
        "servos": _words("servo-driven, jointed", "", "on servos, with servos, on servo joints"),
    },
    "count": {
        "once": _words("", "once, one time, a single time"),
        "twice": _words("", "twice, two times, 2 times"),
        "three times": _words("", "three times, thrice, 3 times"),
    },
    "length": {
        "long": _words("long, drawn-out, sustained", "at length, for a long time"),
        "short": _words("short, brief, curt", "briefly, in brief bursts"),
    },
    "contour": {
        "rising": _words("rising, ascending", "", "going up, rising in pitch"),
        "falling": _words("falling, descending", "", "going down, falling in pitch"),
    },
    "act": {
        "moving": _words("", "", "on the move, in motion, passing along"),
        "calling": _words("", "", "calling out, raising its voice, in a temper"),
    },
    "harmony": {
        "chords": _words("", "", "in chords, in full chords, chord by chord"),
        "notes": _words("", "", "in single notes, note by note, one note at a time"),
    },
}

PATTERNS = (
    "{}", "{}", "{}", "the sound of {}", "sound effect of {}", "a recording of {}", "we hear {}", "{} can be heard",
)  # fmt: skip
HELD_OUT_PATTERNS = ("{}", "a clip of {}", "sfx: {}", "audio of {}", "listen to {}")

_DULL_TEXT = """
    a acoustic air alert along ambient an and app at audience bass be beach beat beating beats bicycle big bike
    blade blow blowing blows boring breathy broken burning button buttons by calls can cathedral chain church
    city cleaner collecting computer crowd cutting door doors down electric electronic emergency
    falling far fast fight fighting firing flowing flying from full game grand hand hit hits hitting house
    howl howling howls in into its joints key keys leaking level lone lowing machine magic man melodies melody
    message mouse music night noise of on open over overhead pass passing past path pattern people person
    picking playing police pot pouring power restaurant rhythm ride ring rising roaring roll rolling rolls
    running sci-fi shooting shot shots shut small someone something song sound sounding sounds strike
    strikes striking strings swing swinging swings the to tone tower tree tune underwater up video visitor
    voices wailing wall warning water wheels whistling window with wooden
"""
_DULL_WORDS = frozenset(_DULL_TEXT.split())
"""Words of the wordings that name no sound by themselves, or name others too ("door", "gun", "bass")."""

_PLAIN_TEXT = """
    bark blow beep chirp clap creak croak fall howl hover knock meow moo patter ring roar roll shatter tick toll wail
    walk
"""
_PLAIN_VERBS = frozenset(_PLAIN_TEXT.split())
"""Verbs of the wordings whose present tense is the stem, with an "s" for one."""

_HEADS = "|".join(sorted({"a", "an", "the", *chain(*NUMBERS.values())}, key=len, reverse=True))

_STEMS_WITH_E = frozenset(
    {"babbl", "bubbl", "chim", "crackl", "detonat", "dron", "explod", "rumbl", "shak", "trickl", "typ"}
)


def is_held_out(wording: str) -> bool:
    """Whether a wording of the table is kept from training."""
    return wording.startswith("*")


def wordings(name: str, *, held_out: bool, attributes: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The wordings of a sound for training, or the ones that training never sees; the mark is taken off.

    With `attributes`, without the wordings that are true of others only.
    """
    entry, known = CORPUS[name], attributes or {}
    return tuple(
        wording.removeprefix("*")
        for wording in entry.wordings
        if is_held_out(wording) == held_out
        and all(known.get(k, v) == v for k, v in entry.only.get(wording, {}).items())
    )


def _pick(random: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(random.integers(len(choices)))]


def _article(phrase: str) -> str:
    """The phrase with "a" or "an" after the sound of its next word."""
    return re.sub(r"^(a|an) (?=(\w))", lambda hit: "an " if hit[2] in "aeiou" else "a ", phrase)


def _with_adjectives(phrase: str, adjectives: Sequence[str]) -> str:
    head, rest = re.fullmatch(rf"((?:{_HEADS}) )?(.*)", phrase).groups()  # type: ignore[union-attr]
    return _article((head or "") + " ".join([*adjectives, rest]))


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


CaptionForm = Literal["any", "noun", "sentence"]


@dataclass(frozen=True)
class Phrase:
    """Words for one sound: a noun phrase ("a loud dog", "a dog barking") or a full sentence ("a dog is barking")."""

    text: str
    is_sentence: bool


def _order(ending: str) -> int:
    """Order of attributes: how, how often, where, and a room with words of its own at the very end."""
    if ending in SYNONYMS["space"]["hall"].endings:
        return 3
    if any(ending in synonyms.adverbs for synonyms in SYNONYMS["count"].values()):
        return 1
    return 0 if ending.endswith("ly") or ending in ("fast", "hard") else 2


def _in_present(verb: str, mark: str) -> str | None:
    """The present tense: "falls" for "falling", "fall" after "~"; None if the verb is not one of the plain ones."""
    stem = verb.removesuffix("ing")
    return (stem + {"|": "s", "~": ""}[mark]) if stem in _PLAIN_VERBS and verb != stem else None


def _with_verb(random: np.random.Generator, wording: str, *, is_sentence: bool) -> str:
    """The clause with its mark resolved: "a dog | barking" is "a dog barking", or "a dog is barking", "a dog barks"."""
    subject, mark, rest = re.fullmatch(r"(.*?) ([|~/]) (.*)", wording).groups()  # type: ignore[union-attr]
    if not is_sentence or mark == "/":
        return f"{subject} {rest}"
    verb, *others = rest.split(" ")
    present = _in_present(verb, mark)
    if present and random.uniform() < 0.5:
        return " ".join([subject, present, *others])
    return f"{subject} {'is' if mark == '|' else 'are'} {rest}"


def _describe(
    random: np.random.Generator, wording: str, spoken: Sequence[Synonyms], *, form: CaptionForm, may_list: bool
) -> Phrase:
    """The wording with its attributes; the list of adjectives at its end only if it `may_list`."""
    is_clause = any(mark in wording for mark in "|~/")
    is_listed = may_list and random.uniform() < 0.25
    fronted: list[str] = []
    endings: list[str] = []
    listed: list[str] = []
    for synonyms in spoken:
        after = (*synonyms.adverbs, *synonyms.endings) if is_clause else synonyms.endings
        if after and (is_clause or not synonyms.adjectives or random.uniform() < 0.35) and not is_listed:
            endings.append(_pick(random, after))
        elif synonyms.adjectives and (is_listed or (is_clause and may_list)):
            listed.append(_pick(random, synonyms.adjectives))
        elif synonyms.adjectives:
            fronted += [] if is_clause else [_pick(random, synonyms.adjectives)]
        else:
            endings.append(_pick(random, after))
    is_drawn = form == "sentence" or (form == "any" and random.uniform() < 0.4)
    is_sentence = is_clause and ("/" in wording or is_drawn)
    phrase = _with_verb(random, wording, is_sentence=is_sentence) if is_clause else wording
    if fronted:
        phrase = _with_adjectives(phrase, fronted)
    endings.sort(key=_order)
    text = " ".join([phrase, *endings])
    return Phrase(f"{text}, {_joined(listed)}" if listed else text, is_sentence)


def _counted(
    random: np.random.Generator, name: str, count: str, form: CaptionForm, *, held_out: bool
) -> tuple[str, bool] | None:
    """Return a wording for that many events, and whether it includes the number; None if there is none of this form."""
    nouns, clauses = counted_wordings(name, count, held_out=held_out)
    participles = [w for w in wordings(name, held_out=held_out) if "|" in w]
    nouns, clauses = (() if form == "sentence" else nouns), (() if form == "noun" else clauses)
    kinds = [kind for kind in (nouns, nouns, clauses, clauses, participles) if kind]
    if not kinds:
        return None
    kind = kinds[int(random.integers(len(kinds)))]
    return _pick(random, kind), kind is nouns


def _uncounted(
    random: np.random.Generator, name: str, attributes: Mapping[str, str], form: CaptionForm, *, held_out: bool
) -> str:
    choices = wordings(name, held_out=held_out, attributes=attributes)
    return _pick(random, [w for w in choices if form != "sentence" or re.search(r"[|~]", w)] or choices)


def has_sentence(name: str, *, held_out: bool) -> bool:
    """Return whether a wording of the sound can be a full sentence."""
    return any(re.search(r"[|~]", wording) for wording in wordings(name, held_out=held_out))


def describe(
    name: str,
    attributes: Mapping[str, str],
    random: np.random.Generator,
    *,
    share: float,
    held_out: bool,
    form: CaptionForm = "any",
    may_list: bool = True,
) -> Phrase:
    """Words for a sound that mention each of its attributes with the probability `share`.

    Of the `form` "sentence" only if it `has_sentence`.
    """
    items = list(attributes.items())
    chosen = dict(items[i] for i in random.permutation(len(items)) if random.uniform() < share)
    counted = _counted(random, name, chosen["count"], form, held_out=held_out) if "count" in chosen else None
    wording, is_numbered = counted or (_uncounted(random, name, attributes, form, held_out=held_out), True)
    if is_numbered:
        chosen.pop("count", None)
    spoken = [SYNONYMS[kind][value] for kind, value in chosen.items()]
    return _describe(random, wording, spoken, form=form, may_list=may_list)


def _caption(name: str, attributes: Mapping[str, str], random: np.random.Generator, *, held_out: bool) -> str:
    share = (0.0, 0.5, 0.75, 1.0)[int(random.choice(4, p=(0.15, 0.25, 0.3, 0.3)))]
    phrase = describe(name, attributes, random, share=share, held_out=held_out)
    pattern = _pick(random, HELD_OUT_PATTERNS if held_out else PATTERNS)
    if phrase.is_sentence or (", " in phrase.text and pattern.endswith("heard")):
        return phrase.text
    return pattern.format(phrase.text)


def captions(
    name: str, attributes: Mapping[str, str], seed: int, count: int = 1, *, held_out: bool = False
) -> list[str]:
    """Lower-case captions of a sound; some mention no attribute, some all of them.

    With `held_out`, only wordings and sentence patterns (beside the bare one) that training never sees.
    The same arguments give the same captions.
    """
    random = np.random.default_rng([seed, zlib.crc32(name.encode()), int(held_out)])
    return [_caption(name, attributes, random, held_out=held_out) for _ in range(count)]


def _numbers(word: str) -> set[str]:
    """A word with its plural or singular."""
    if word.endswith(("shes", "ches")):
        return {word, word.removesuffix("es")}
    if word.endswith(("ss", "sh", "ch")):
        return {word, word + "es"}
    if word.endswith("s"):
        return {word, word.removesuffix("s")}
    if word.endswith("y") and word[-2] not in "aeiou":
        return {word, word.removesuffix("y") + "ies"}
    return {word, word + "s"}


def _inflections(word: str) -> set[str]:
    """A word with its plural or singular, or with the other forms of its verb."""
    if word.endswith("ing") and word != "lightning":
        stem = word.removesuffix("ing")
        if stem in _STEMS_WITH_E:
            return {word, stem + "e", stem + "es", stem + "ed"}
        is_doubled = stem[-1] == stem[-2] and stem[-1] in "bgmnprt"
        return {word, stem + "ed", *_numbers(stem[:-1] if is_doubled else stem)}
    return _numbers(word)


def _sound_words() -> frozenset[str]:
    attribute_words = {
        word
        for values in SYNONYMS.values()
        for synonyms in values.values()
        for phrase in (*synonyms.adjectives, *synonyms.adverbs, *synonyms.endings)
        for word in phrase.split()
    }
    spoken = {word for entry in CORPUS.values() for w in entry.wordings for word in re.findall(r"[a-z-]+", w)}
    dull = _DULL_WORDS | attribute_words
    return frozenset(form for word in spoken - dull for form in _inflections(word) if form not in dull)


SOUND_WORDS: frozenset[str] = _sound_words()
"""Lower-case content words that name a sound of the corpus, with their plural and verb forms."""
