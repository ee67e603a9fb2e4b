"""The parser of every command's options: argparse, which speaks of numbers as people do."""

import argparse
from typing import Any


class OptionParser(argparse.ArgumentParser):
    """Refuses a word that is no number without the names that Python has for numbers; its subcommands do likewise."""

    def __init__(self, *facts: Any, **named: Any) -> None:
        super().__init__(*facts, **named)
        self.register("type", float, _number)
        self.register("type", int, _whole_number)


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no number, such as 2 or 0.5") from None


def _whole_number(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no whole number, such as 2") from None
