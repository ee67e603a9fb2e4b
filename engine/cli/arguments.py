"""The options of every command, as words; imports nothing that is slow. Same words as on the wire."""

import argparse
from pathlib import Path

DEVICES = ("auto", "cpu", "cuda", "mps")
SAMPLERS = ("dpm++2m", "ddim")


def add_generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", help='what it should sound like, e.g. "rain on a tin roof"')
    parser.add_argument("--seconds", type=float, default=5.12, help="length (default 5.12)")
    _add_rendering(parser)


def add_restyle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, help="the audio file to start from")
    parser.add_argument("prompt", help="what it should become")
    parser.add_argument("--strength", type=float, default=0.5, help="0 keeps the clip, 1 forgets it (default 0.5)")
    parser.add_argument("--start", type=float, metavar="S", help="restyle from here only, in seconds")
    parser.add_argument("--end", type=float, metavar="S", help="restyle up to here only, in seconds")
    parser.add_argument("--keep-air", action="store_true", help="keep the clip's highs that the model cannot make")
    _add_rendering(parser)


def add_inpaint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, help="the audio file with the gap")
    parser.add_argument("prompt", help="what should sound in the gap")
    parser.add_argument("--start", type=float, metavar="S", help="where the gap starts, in seconds")
    parser.add_argument("--end", type=float, metavar="S", help="where it ends, in seconds")
    parser.add_argument(
        "--region", type=float, nargs=2, action="append", default=[], metavar=("START", "END"), help="a further gap"
    )
    parser.add_argument("--low-hz", type=float, metavar="HZ", help="replace frequencies above this only")
    parser.add_argument("--high-hz", type=float, metavar="HZ", help="replace frequencies below this only")
    _add_rendering(parser)


def add_models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for name, summary in (("list", "what is installed (the default)"), ("show", "one model in detail")):
        action = actions.add_parser(name, help=summary, description=summary)
        _add_json(action)
        if name == "show":
            action.add_argument("name", help="a name from `retake models list`, or a folder")
    parser.set_defaults(action="list", json=False)


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Without folders: let a model render held-out prompts and judge the clips (classes recognised, Frechet"
        " distance, CLAP score). With two folders: compare the clips in the first with those in the second."
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="generated clips, then reference clips")
    _add_model(parser)
    parser.add_argument("--per-class", type=int, default=4, metavar="N", help="clips for each sound (default 4)")
    parser.add_argument("--sounds", metavar="A,B", help="only these sounds of the corpus (default all)")
    parser.add_argument("--seed", type=int, default=1, help="another seed asks other prompts (default 1)")
    parser.add_argument("--steps", type=int, help="denoising steps (default the model's)")
    parser.add_argument("--guidance", type=float, help="how closely to follow the prompt (default the model's)")
    parser.add_argument("--captions", type=Path, metavar="FILE", help="CSV file,caption[,class] or JSON, for folders")
    parser.add_argument("--picture", type=Path, metavar="PNG", help="draw generated beside real (needs Matplotlib)")
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="machine-readable report, on stdout or to FILE; put it last",
    )


def add_benchmark(parser: argparse.ArgumentParser) -> None:
    parser.description = "Time `retake generate` with a warm model. Close other programs first."
    _add_model(parser)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="the median of so many runs (default 5)")
    parser.add_argument("--seconds", type=float, default=5.12, help="length of each take (default 5.12)")
    parser.add_argument("--steps", type=int, help="denoising steps (default the model's)")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0], help="(default %(default)s)")
    parser.add_argument("--candidates", type=int, default=1, metavar="N", help="takes a run (default 1)")
    parser.add_argument(
        "--against",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="also time it with e.g. steps=10 or sampler=ddim, turn by turn, and give the ratio",
    )
    _add_json(parser)


def _add_rendering(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, metavar="WAV", help="a new file, or a folder (default: a name here)"
    )
    parser.add_argument("--seed", type=int, default=1, help="same seed, same sound (default 1)")
    parser.add_argument("--steps", type=int, metavar="N", help="denoising steps (default the model's)")
    parser.add_argument("--guidance", type=float, metavar="G", help="how closely to follow the prompt")
    parser.add_argument("--candidates", type=int, default=1, metavar="N", help="render so many takes, best first")
    parser.add_argument("--negative", default="", metavar="WORDS", help="what it should not sound like")
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLERS[0], help="(default %(default)s)")
    _add_model(parser)
    _add_json(parser)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="nano", metavar="NAME", help="a name or a folder (default nano)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default auto)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
