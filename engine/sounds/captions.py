"""Wordings for the sounds: from a name and its attributes to the sentences that a person would type."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.sounds.corpus import CORPUS


@dataclass(frozen=True)
class Synonyms:
    """Ways to say one attribute: before a noun, after a verb, or at the end of anything."""

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
    },
    "material": {
        "wooden": _words("wooden, woody, hollow wooden"),
        "metallic": _words("metallic, metal, ringing metal"),
    },
    "crowd": {
        "huge": _words("huge, large, massive", "in huge numbers, in great numbers"),
        "small": _words("small, sparse, scattered", "in small numbers, sparsely"),
    },
    "length": {
        "long": _words("long, drawn-out, sustained", "at length, for a long time"),
        "short": _words("short, brief, curt", "briefly, in brief bursts"),
    },
    "contour": {
        "rising": _words("rising, ascending", "", "going up, rising in pitch"),
        "falling": _words("falling, descending", "", "going down, falling in pitch"),
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
    a air along ambient an and at audience bass be beach beat beating beats bicycle big bike blowing boring broken
    burning by calls can cathedral church collecting computer crowd door down electric electronic emergency
    falling far fast firing flying from game hand hit hits hitting house in into its key keys leaking lowing
    machine man night of on open over pass past path pattern people person picking playing police pouring power
    rhythm ring roaring roll rolling rolls running sci-fi shooting shot shots small someone something song
    sound sounding sounds the to tone tower up video visitor wailing wall warning whistling window with wooden
    acoustic alert app blade breathy button buttons fight fighting full grand level magic melodies melody message
    mouse music strings swing swinging swings tune
"""
_DULL_WORDS = frozenset(_DULL_TEXT.split())
"""Words of the wordings that name no sound by themselves, or name others too ("door", "gun", "bass")."""

_STEMS_WITH_E = frozenset({"chim", "crackl", "rumbl", "detonat", "explod", "dron", "shak", "typ"})


def is_held_out(wording: str) -> bool:
    """Whether a wording of the table is kept from training."""
    return wording.startswith("*")


def wordings(name: str, *, held_out: bool) -> tuple[str, ...]:
    """The wordings of a sound for training, or the ones that training never sees; the mark is taken off."""
    return tuple(w.removeprefix("*") for w in CORPUS[name].wordings if is_held_out(w) == held_out)


def _pick(random: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(random.integers(len(choices)))]


def _article(phrase: str) -> str:
    """The phrase with "a" or "an" after the sound of its next word."""
    return re.sub(r"^(a|an) (?=(\w))", lambda hit: "an " if hit[2] in "aeiou" else "a ", phrase)


def _with_adjectives(phrase: str, adjectives: Sequence[str]) -> str:
    head, rest = re.fullmatch(r"((?:a|an|the) )?(.*)", phrase).groups()  # type: ignore[union-attr]
    return _article((head or "") + " ".join([*adjectives, rest]))


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _describe(random: np.random.Generator, wording: str, spoken: Sequence[Synonyms]) -> tuple[str, bool]:
    """The wording with its attributes, and whether it became a full sentence."""
    is_clause = "|" in wording or "~" in wording
    is_listed = random.uniform() < 0.25
    fronted: list[str] = []
    endings: list[str] = []
    listed: list[str] = []
    for synonyms in spoken:
        after = (*synonyms.adverbs, *synonyms.endings) if is_clause else synonyms.endings
        if after and (is_clause or not synonyms.adjectives or random.uniform() < 0.35) and not is_listed:
            endings.append(_pick(random, after))
        elif synonyms.adjectives and (is_listed or is_clause):
            listed.append(_pick(random, synonyms.adjectives))
        elif synonyms.adjectives:
            fronted.append(_pick(random, synonyms.adjectives))
        else:
            endings.append(_pick(random, after))
    is_sentence = is_clause and random.uniform() < 0.4
    verb = {True: (" is ", " are "), False: (" ", " ")}[is_sentence]
    phrase = wording.replace(" | ", verb[0]).replace(" ~ ", verb[1])
    if fronted:
        phrase = _with_adjectives(phrase, fronted)
    endings.sort(key=lambda ending: ending in SYNONYMS["space"]["hall"].endings)
    text = " ".join([phrase, *endings])
    return (f"{text}, {_joined(listed)}" if listed else text), is_sentence


def _caption(name: str, attributes: Mapping[str, str], random: np.random.Generator, *, held_out: bool) -> str:
    share = (0.0, 0.5, 0.75, 1.0)[int(random.choice(4, p=(0.15, 0.25, 0.3, 0.3)))]
    items = list(attributes.items())
    chosen = [items[i] for i in random.permutation(len(items)) if random.uniform() < share]
    spoken = [SYNONYMS[kind][value] for kind, value in chosen]
    text, is_sentence = _describe(random, _pick(random, wordings(name, held_out=held_out)), spoken)
    pattern = _pick(random, HELD_OUT_PATTERNS if held_out else PATTERNS)
    if is_sentence or (", " in text and pattern.endswith("heard")):
        return text
    return pattern.format(text)


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
