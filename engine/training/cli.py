"""`retake train`: the recipes from the command line, and the joining of their parts into a model.

retake train clap --run runs/nano        render the corpus, then train the two towers
retake train vae --run runs/nano
retake train ldm --run runs/nano --processes 2 --steps 6000
retake train join --run runs/nano -o my-model        the folder that `--model` takes
"""

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.checkpoints.store import save_model
from engine.errors import OutputExistsError
from engine.presets import PRESETS
from engine.training.datasets import ClipSettings, render_clips
from engine.training.loop import LoopSettings, Report
from engine.training.parts import join_parts
from engine.training.train_clap import ClapSettings, train_clap
from engine.training.train_ldm import LdmSettings, prepare_latents, train_ldm
from engine.training.train_vae import VaeSettings, train_vae
from engine.training.train_vocoder import VocoderSettings, train_vocoder
from engine.training.workers import Workers, run_together


@dataclass(frozen=True)
class _Defaults:
    """What a recipe needs on two CPU cores."""

    steps: int
    rate: float
    batch: int


_RECIPES = {
    "clap": _Defaults(700, 2.5e-3, 64),
    "vae": _Defaults(900, 8e-4, 16),
    "vocoder": _Defaults(2000, 1.5e-3, 12),
    "ldm": _Defaults(5000, 8e-4, 8),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `retake train`."""
    commands = parser.add_subparsers(dest="part", required=True, metavar="{clap,vae,vocoder,ldm,join}")
    for name, defaults in _RECIPES.items():
        command = commands.add_parser(name, help=f"train the {name}; goes on where an earlier call stopped")
        _add_common(command)
        command.add_argument(
            "--steps", type=int, default=defaults.steps, help="in all, earlier calls included (%(default)s)"
        )
        command.add_argument("--rate", type=float, default=defaults.rate, help="peak learning rate (%(default)s)")
        command.add_argument(
            "--batch", type=int, default=defaults.batch, help="clips a step in each process (%(default)s)"
        )
        command.add_argument(
            "--decay-share", type=float, default=0.65, help="last share of steps with falling rate (%(default)s)"
        )
        command.add_argument("--clips", type=int, default=7200, help="corpus clips to render (%(default)s)")
        command.add_argument("--processes", type=int, default=1, help="processes that train together (%(default)s)")
        command.add_argument("--seed", type=int, default=0)
        if name == "ldm":
            command.add_argument(
                "--text-share", type=float, default=0.5, help="conditions taken from captions; the paper: 0"
            )
            command.add_argument("--mixup-share", type=float, default=0.0, help="clips that mix two sounds")
            command.add_argument("--device", default="cpu", help="cpu or cuda")
        if name in ("vae", "vocoder"):
            command.add_argument("--adversarial-from", type=int, help="step at which discriminators join in (never)")
    join = commands.add_parser("join", help="make a model of the trained parts")
    _add_common(join)
    join.add_argument("-o", "--output", type=Path, required=True, help="folder of the new model")


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--run", type=Path, required=True, help="folder of this run: clips, parts, checkpoints, logs")
    command.add_argument("--preset", default="nano", choices=sorted(PRESETS), help="(%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Do what the arguments say; 0 when done."""
    if args.part == "join":
        return _join(args)
    clips = args.run / "clips"
    config = PRESETS[args.preset]
    seconds = config.window_rows * config.vae.stride / config.mel.frames_per_second
    render_clips(ClipSettings(clips, args.clips, seconds=seconds), partial(_show_count, "rendering"))
    loop = LoopSettings(args.run / args.part, args.steps, args.rate, decay_share=args.decay_share, seed=args.seed)
    parts = args.run / "parts"
    if args.part == "clap":
        run_together(
            train_clap, (ClapSettings(clips, parts, loop, args.preset, args.batch), _show_report), args.processes
        )
    elif args.part == "vae":
        vae = VaeSettings(clips, parts, loop, args.preset, args.batch, adversarial_from=args.adversarial_from)
        run_together(train_vae, (vae, _show_report), args.processes)
    elif args.part == "vocoder":
        vocoder = VocoderSettings(
            clips, parts, loop, args.preset, batch_size=args.batch, adversarial_from=args.adversarial_from
        )
        run_together(train_vocoder, (vocoder, _show_report), args.processes)
    else:
        ldm = LdmSettings(
            clips,
            parts,
            loop,
            args.preset,
            args.batch,
            args.text_share,
            mixup_share=args.mixup_share,
            device=args.device,
        )
        run_together(_train_ldm, (ldm,), args.processes)
    return 0


def _train_ldm(workers: Workers, settings: LdmSettings) -> None:
    prepare_latents(workers, settings, partial(_show_count, "encoding"))
    train_ldm(workers, settings, _show_report)


def _join(args: argparse.Namespace) -> int:
    if args.output.exists() and any(args.output.iterdir()):
        raise OutputExistsError(args.output)
    save_model(join_parts(args.run / "parts", args.preset), args.output)
    print(f"wrote {args.output}")
    return 0


def _show_count(what: str, done: int, total: int) -> None:
    print(f"{what} {done}/{total}", file=sys.stderr, flush=True)


def _show_report(report: Report) -> None:
    figures = "  ".join(f"{name} {value:.4f}" for name, value in report.figures.items())
    minutes = report.seconds_left / 60
    print(f"step {report.step}/{report.num_steps}  {figures}  {minutes:.0f} min left", file=sys.stderr, flush=True)
