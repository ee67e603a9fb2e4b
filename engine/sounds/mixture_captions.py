"""Wordings for two sounds in one clip: at the same time, one in the background, or one after the other."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from engine.sounds.captions import CaptionForm, describe, has_sentence

Relation = Literal["together", "behind", "followed"]
"""Both alike · the second in the background of the first · the second after the first."""

PATTERNS: dict[Relation, tuple[str, ...]] = {
    "together": (
        "{a} and {b}", "{a} and {b}", "{b} and {a}", "{a} with {b}", "{a} together with {b}", "{A} while {B}",
        "{a} while {B}", "{b} while {A}", "both {a} and {b}", "the sound of {a} and {b}", "{A} and {B}",
        "{a} and {b} at the same time",
    ),
    "behind": (
        "{a} with {b} in the background", "{a} with {b} in the background", "{a} and {b} in the background",
        "{a} over {b}", "{a} in front of {b}", "{b} in the background and {a} in the foreground", "{a} while {B}",
        "{A} while {B} in the background", "{A} with {b} in the background", "{a} against a background of {b}",
        "we hear {a} with {b} faintly behind",
    ),
    "followed": (
        "{a} followed by {b}", "{a} followed by {b}", "{a}, then {b}", "{a} and then {b}", "first {a}, then {b}",
        "{b} after {a}", "{a} before {b}", "the sound of {a} followed by {b}", "{A}, then {B}", "{A} and then {B}",
    ),
}  # fmt: skip
"""Two phrases, a and b, and where the letter is a capital, full sentences."""

HELD_OUT_PATTERNS: dict[Relation, tuple[str, ...]] = {
    "together": ("{a} plus {b}", "a mix of {a} and {b}", "{a} as {B}", "{a} along with {b}"),
    "behind": ("{a} on top of {b}", "{a} with {b} behind it", "a background of {b} under {a}"),
    "followed": ("{a}, next {b}", "{a} and afterwards {b}", "{b} following {a}"),
}
"""Patterns that training never sees."""


def mixture_captions(
    names: Sequence[str],
    attributes: Sequence[Mapping[str, str]],
    relation: Relation,
    seed: int,
    count: int = 1,
    *,
    held_out: bool = False,
) -> list[str]:
    """Lower-case captions of two sounds, in the order in which `relation` names them.

    With `held_out`, only wordings and sentence patterns that training never sees. The same arguments give the same
    captions.
    """
    key = zlib.crc32(" ".join([*names, relation]).encode())
    random = np.random.default_rng([seed, key, int(held_out)])
    return [_caption(names, attributes, relation, random, held_out=held_out) for _ in range(count)]


def _caption(
    names: Sequence[str],
    attributes: Sequence[Mapping[str, str]],
    relation: Relation,
    random: np.random.Generator,
    *,
    held_out: bool,
) -> str:
    share = (0.0, 0.5, 1.0)[int(random.choice(3, p=(0.4, 0.35, 0.25)))]
    all_patterns = (HELD_OUT_PATTERNS if held_out else PATTERNS)[relation]
    can = dict(zip("AB", (has_sentence(name, held_out=held_out) for name in names), strict=True))
    patterns = [p for p in all_patterns if all(can[slot] for slot in "AB" if f"{{{slot}}}" in p)]
    pattern = patterns[int(random.integers(len(patterns)))]
    spoken = {}
    for slot, name, known in zip("AB", names, attributes, strict=True):
        is_sentence = f"{{{slot}}}" in pattern
        form: CaptionForm = "sentence" if is_sentence else "noun"
        phrase = describe(name, known, random, share=share, held_out=held_out, form=form, may_list=False)
        spoken[slot if is_sentence else slot.lower()] = phrase.text
    return pattern.format(**spoken)
