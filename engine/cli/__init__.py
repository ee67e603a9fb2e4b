"""The command line, `retake …`: one row a command, whose code is imported when it is called."""

import argparse
import sys
from collections.abc import Sequence
from importlib import metadata

from engine.cli.commands import Command, load
from engine.cli.terminal import exit_code_of, show_error
from engine.errors import EngineError
from engine.option_parser import OptionParser

DONE, FAILED, WRONG_USAGE, CANCELLED = 0, 1, 2, 130


_ARGUMENTS, _RENDERING = "engine.cli.arguments", "engine.cli.rendering"

COMMANDS: tuple[Command, ...] = (
    Command("generate", "make a sound from words", f"{_ARGUMENTS}:add_generate", f"{_RENDERING}:run_generate"),
    Command("restyle", "turn a clip into what the words say", f"{_ARGUMENTS}:add_restyle", f"{_RENDERING}:run_restyle"),
    Command("inpaint", "fill a gap in a clip", f"{_ARGUMENTS}:add_inpaint", f"{_RENDERING}:run_inpaint"),
    Command("vary", "make another take of a clip", f"{_ARGUMENTS}:add_vary", f"{_RENDERING}:run_vary"),
    Command("upscale", "add the missing highs to a clip", f"{_ARGUMENTS}:add_upscale", f"{_RENDERING}:run_upscale"),
    Command("again", "make a take again", f"{_ARGUMENTS}:add_again", f"{_RENDERING}:run_again"),
    Command("listen", "say what is in a clip", f"{_ARGUMENTS}:add_listen", "engine.cli.listening:run"),
    Command("models", "list, pull, import and remove models", f"{_ARGUMENTS}:add_models", "engine.cli.models:run"),
    Command("devices", "list what this machine can compute on", f"{_ARGUMENTS}:add_devices", "engine.cli.devices:run"),
    Command("train", "train the parts of a model", "engine.training.cli:add_arguments", "engine.training.cli:run"),
    Command(
        "evaluate", "measure a model, or a folder of clips", f"{_ARGUMENTS}:add_evaluate", "engine.cli.evaluation:run"
    ),
    Command("benchmark", "time this machine", f"{_ARGUMENTS}:add_benchmark", "engine.cli.benchmark:run"),
)


def main(argv: Sequence[str] | None = None, commands: Sequence[Command] = COMMANDS) -> int:
    """Run one command; 0 done, 1 failed with a sentence and a hint on stderr, 2 wrong usage, 130 cancelled."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = next((row for row in commands if row.name == (arguments or [""])[0]), None)
    parsed = argparse.Namespace()
    try:
        build_parser(commands, command).parse_args(arguments, parsed)
        return int(load(command.run)(parsed)) if command else WRONG_USAGE
    except SystemExit as leaving:  # argparse has shown its help (0) or what is wrong (2)
        return int(leaving.code or 0)
    except EngineError as error:
        show_error(error, as_json=getattr(parsed, "json", False) in (True, "-"))
        return exit_code_of(error)
    except KeyboardInterrupt:
        return CANCELLED


def build_parser(commands: Sequence[Command], chosen: Command | None) -> argparse.ArgumentParser:
    """All commands by name and summary; the arguments of the chosen one only."""
    parser = OptionParser(prog="retake", description="Text-guided sound, on your own machine.")
    parser.add_argument("--version", action="version", version=f"retake {_version()}")
    rows = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in commands:
        row = rows.add_parser(command.name, help=command.summary, description=command.summary)
        if command is chosen:
            load(command.arguments)(row)
            row.set_defaults(wrong_usage=row.error)
    return parser


def _version() -> str:
    try:
        return metadata.version("retake")
    except metadata.PackageNotFoundError:
        return "(not installed)"
