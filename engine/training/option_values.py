"""Numeric options of `retake train`, checked before anything is rendered or trained."""

import argparse
import math

from engine.gesture import CURVES


def count(text: str) -> int:
    """A whole number from 1."""
    return _whole(text, 1)


def count_or_none(text: str) -> int:
    """A whole number from 0, where 0 means none."""
    return _whole(text, 0)


def share(text: str) -> float:
    """A share, 0 to 1."""
    return _between(text, 0.0, 1.0, "a share from 0 to 1")


def above_zero(text: str) -> float:
    """A number above 0."""
    value = _between(text, 0.0, math.inf, "a number above 0")
    if value == 0:
        message = f"{text!r} is not a number above 0"
        raise argparse.ArgumentTypeError(message)
    return value


def zero_or_more(text: str) -> float:
    """A number from 0."""
    return _between(text, 0.0, math.inf, "a number from 0")


def times(text: str) -> tuple[str, int]:
    """A name and how many times: drill=3."""
    name, _, number = text.rpartition("=")
    if not name:
        message = f"{text!r} is not a name and a number such as drill=3"
        raise argparse.ArgumentTypeError(message)
    return name, count(number)


def curve_names(text: str) -> tuple[str, ...]:
    """Names of curves: loudness,pitch. Each once, in the order of `engine.gesture.CURVES`."""
    names = text.split(",")
    if not set(names) <= set(CURVES) or len(set(names)) < len(names):
        message = f"{text!r} is not a list such as {','.join(CURVES)}"
        raise argparse.ArgumentTypeError(message)
    return tuple(name for name in CURVES if name in names)


def _whole(text: str, least: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        message = f"{text!r} is not a whole number from {least}"
        raise argparse.ArgumentTypeError(message)
    return value


def _between(text: str, least: float, most: float, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most or math.isinf(value):
        message = f"{text!r} is not {wanted}"
        raise argparse.ArgumentTypeError(message)
    return value
