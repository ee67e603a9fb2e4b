"""The engine's parser of options, for the bridge's own commands: one sentence for a mistyped number everywhere."""

from engine import OptionParser

__all__ = ["OptionParser"]
