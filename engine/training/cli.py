"""`retake train`: the recipes from the command line, and the joining of their parts into a model.

retake train clap --run runs/nano        render the corpus, then train the two towers
retake train clap --run runs/nano --keep-audio       the text tower only
retake train ear --run runs/nano --recordings my-recordings       the audio tower learns to hear recordings too
retake train vae --run runs/nano
retake train ldm --run runs/nano --processes 2 --steps 6000
retake train ldm --run runs/nano --steps 9000 --emphasis drill=3 fire=2     continue, with more of the weak classes
retake train ldm --run runs/nano --curves loudness,brightness,pitch       follow the gesture of a clip, too
retake train ldm --run runs/nano --device cuda --conditions audio       on a card, conditioned as in the paper
torchrun --nproc-per-node 4 -m -- bridge train ldm --run runs/nano --device cuda     on several; torchrun needs the --
retake train vae --run runs/mine --manifest my-sounds.csv       learn from your own files instead
retake train ldm --run runs/tuned --start audioldm-s-full --manifest my-sounds.csv --rank 8 --rate 5e-4
    a published model keeps its authors' settings where you give none: rate 1e-4, constant after a
    warm-up of 2000 steps, averaged with 0.9999
retake train draft --run runs/nano --processes 2    last: distil the denoiser into the draft net
retake train join --run runs/nano -o my-model        the folder that `--model` takes
retake train air recordings music -o my-air      the net that makes the highs of all models, from full-band recordings
retake train split nano --run runs/better        the reverse: the parts of a model, to be trained further
"""

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from engine.checkpoints.store import open_model, save_model
from engine.device import choose_device
from engine.errors import OutputExistsError
from engine.presets import PRESETS
from engine.training.datasets import ClipSettings, render_clips
from engine.training.library import SKIPPED_FILE, LibrarySettings, cut_clips, read_skipped
from engine.training.loop import CHECKPOINT_FILE, LoopSettings
from engine.training.option_values import above_zero, count, count_or_none, curve_names, share, times, zero_or_more
from engine.training.parts import draft_of, join_parts, note_curves, note_start, save_vocabulary, split_model, start_of
from engine.training.rates import FROM_NOTHING, Rates, rates_of, warnings_about
from engine.training.recorder import Recorder
from engine.training.train_air import AirSettings, codec_of, train_air
from engine.training.train_clap import ClapSettings, train_clap
from engine.training.train_draft import DraftSettings, prepare_trajectories, train_draft
from engine.training.train_ear import EarSettings, Hearing, train_ear
from engine.training.train_ldm import LdmSettings, prepare_latents, train_ldm
from engine.training.train_vae import VaeSettings, train_vae
from engine.training.train_vocoder import VocoderSettings, train_vocoder
from engine.training.workers import Workers, joined, refuse_crowding, run_together


@dataclass(frozen=True)
class _Defaults:
    """What a recipe needs on two CPU cores."""

    steps: int
    rate: float
    batch: int


_CONDITIONS = {"audio": 0.0, "text": 1.0, "both": 0.5}  # their share of captions'
_NAMED = 10  # files passed over that are named on the terminal

_RECIPES = {
    "clap": _Defaults(700, 2.5e-3, 64),
    "ear": _Defaults(1000, 2e-3, 24),
    "vae": _Defaults(900, 8e-4, 16),
    "vocoder": _Defaults(2000, 1.5e-3, 12),
    "ldm": _Defaults(5000, FROM_NOTHING.rate, 8),
    "draft": _Defaults(1200, 3e-4, 8),
}


_PARTS = {
    "clap": "CLAP's text and audio towers",
    "ear": "the audio tower's ear for recordings",
    "vae": "the autoencoder",
    "vocoder": "the vocoder",
    "ldm": "the denoiser",
    "draft": "the draft net",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `retake train`."""
    commands = parser.add_subparsers(
        dest="part", required=True, metavar="{clap,ear,vae,vocoder,ldm,draft,join,split,air}"
    )
    for name, defaults in _RECIPES.items():
        command = commands.add_parser(name, help=f"train {_PARTS[name]}, or continue training it")
        _add_common(command)
        _add_training(command, defaults)
        if name == "clap":
            command.add_argument(
                "--keep-audio",
                action="store_true",
                help="train only the text tower, against the frozen audio tower",
            )
            command.add_argument(
                "--hold",
                type=zero_or_more,
                default=0.0,
                metavar="WEIGHT",
                help="in a run that began with `retake train split`: keep what that model knew near its old place, for"
                " a denoiser that has learned from it (%(default)g: let it move)",
            )
        if name == "ear":
            _add_recordings(command)
        if name == "ldm":
            _add_denoiser(command)
        if name == "draft":
            command.add_argument(
                "--trajectories",
                "--walks",
                type=count,
                default=1600,
                help="number of teacher trajectories (%(default)s)",
            )
            command.add_argument("--guidance", type=zero_or_more, help="guidance to distil (the model's own)")
        if name in ("vae", "vocoder"):
            command.add_argument(
                "--adversarial-from", type=count_or_none, help="step from which discriminators are used (never)"
            )
    join = commands.add_parser("join", help="make a model of the trained parts")
    _add_common(join)
    join.add_argument("-o", "--output", type=Path, required=True, help="folder of the new model")
    join.add_argument("--small", action="store_true", help="weights of the denoiser in 8 bits: half the file size")
    split = commands.add_parser("split", help="put the parts of a model into a new run, to train them further")
    split.add_argument("model", help="an installed model, or a folder")
    split.add_argument("--run", type=Path, required=True, help="folder of the new run")
    _add_air(commands.add_parser("air", help="train the net that makes the highs above every model's band"))


def _add_air(command: argparse.ArgumentParser) -> None:
    usual = AirSettings(())
    command.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="recordings with all their highs")
    command.add_argument("-o", "--output", type=Path, required=True, help="folder of the new net")
    command.add_argument("--steps", type=count, default=usual.steps, help="number of steps (%(default)s)")
    command.add_argument("--batch", type=count, default=usual.batch, help="crops per step (%(default)s)")
    command.add_argument("--rate", type=above_zero, default=usual.peak_rate, help="peak learning rate (%(default)s)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--codec",
        default="nano",
        metavar="MODEL",
        help="model through whose autoencoder and vocoder a copy of every recording passes (%(default)s)",
    )


def _add_training(command: argparse.ArgumentParser, defaults: _Defaults) -> None:
    """What every recipe takes: how long, from which clips, and on what."""
    command.add_argument(
        "--steps",
        type=count,
        default=defaults.steps,
        help="number of steps, including those of earlier calls (%(default)s)",
    )
    command.add_argument(
        "--rate", type=above_zero, default=defaults.rate, help=f"peak learning rate ({defaults.rate:g})"
    )
    command.add_argument(
        "--warmup",
        type=count,
        default=FROM_NOTHING.warmup,
        metavar="STEPS",
        help=f"number of first steps over which the rate rises ({FROM_NOTHING.warmup})",
    )
    command.add_argument(
        "--batch", type=count, default=defaults.batch, help="clips per step in each process (%(default)s)"
    )
    command.add_argument(
        "--decay-share",
        type=share,
        default=FROM_NOTHING.decay_share,
        help=f"share of the steps, at the end, over which the rate falls ({FROM_NOTHING.decay_share:g})",
    )
    command.add_argument(
        "--manifest",
        type=Path,
        metavar="FILE",
        help="learn from your own files: a CSV, JSON or JSONL of files and captions, or what `retake batch` wrote",
    )
    command.add_argument("--audio-root", type=Path, metavar="FOLDER", help="folder of those files (beside the list)")
    command.add_argument("--clips", type=count, default=7200, help="corpus clips to render (%(default)s)")
    command.add_argument(
        "--mixture-share", type=share, default=0.15, help="share of these clips that combine two sounds (%(default)s)"
    )
    command.add_argument("--processes", type=count, default=1, help="processes that train together (%(default)s)")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument(
        "--listen-every",
        type=zero_or_more,
        default=10.0,
        metavar="MINUTES",
        help="minutes between audible samples, with spectrograms; 0 for none (%(default)g)",
    )
    command.add_argument("--device", default="cpu", help="cpu, cuda, mps, or auto for the best one (%(default)s)")


def _add_recordings(command: argparse.ArgumentParser) -> None:
    """What only the ear's recipe takes."""
    command.add_argument(
        "--recordings",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="labelled recordings: a clips.csv with the columns path, kind and package, or a folder for each kind",
    )
    command.add_argument(
        "--folds",
        type=count_or_none,
        default=3,
        help="first test it this many times on packages that it was not taught with; 0 for no test (%(default)s)",
    )


def _add_denoiser(command: argparse.ArgumentParser) -> None:
    """What only the denoiser's recipe takes."""
    _add_conditions(command)
    command.add_argument("--mixup-share", type=share, default=0.0, help="share of clips that mix two sounds")
    command.add_argument(
        "--ema", type=share, default=FROM_NOTHING.ema, help=f"decay of the averaged net ({FROM_NOTHING.ema:g})"
    )
    command.add_argument(
        "--scale-exponent",
        type=share,
        default=0.5,
        help="0: latents of unit variance in every channel; 1: as the VAE spreads them (%(default)s)",
    )
    command.add_argument(
        "--shorter-share",
        type=share,
        default=0.25,
        help="share of steps on clips cut short, so that short sounds work too (%(default)s)",
    )
    command.add_argument(
        "--compile",
        action="store_true",
        help="compile the net first, a minute or two; training is then faster, on graphics cards much faster",
    )
    command.add_argument(
        "--emphasis",
        type=times,
        nargs="+",
        default=[],
        metavar="CLASS=TIMES",
        help="classes whose clips come several times per round: drill=3 fire=2",
    )
    command.add_argument(
        "--curves",
        type=curve_names,
        metavar="NAMES",
        help="learn to follow curves of the sound as well: loudness,brightness,pitch, or some of these",
    )
    command.add_argument("--start", metavar="MODEL", help="fine-tune this installed model, or a folder")
    command.add_argument(
        "--rank", type=count_or_none, default=0, help="fine-tune with LoRA of this rank (0: all weights)"
    )
    command.set_defaults(rate=None, warmup=None, decay_share=None, ema=None)  # which rates apply is decided later
    command.epilog = (
        "A published model given by --start keeps its authors' settings where these options are left out: "
        "--rate 1e-4 --warmup 2000 --decay-share 0 --ema 0.9999."
    )


def _add_conditions(command: argparse.ArgumentParser) -> None:
    """What the denoiser is conditioned on; the two options exclude each other."""
    ways = command.add_mutually_exclusive_group()
    ways.add_argument("--conditions", choices=_CONDITIONS, help="audio is the paper's choice (both)")
    ways.add_argument("--text-share", type=share, default=0.5, help="the same as a share of captions (%(default)s)")
    command.add_argument(
        "--drop-share", type=share, default=0.1, help="share of conditions replaced by the empty prompt's (%(default)s)"
    )


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--run", type=Path, required=True, help="folder of this run: clips, parts, checkpoints, logs")
    command.add_argument("--preset", default="nano", choices=sorted(PRESETS), help="size of the nets (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Run a parsed command; returns 0."""
    if args.part == "air":
        return _train_air(args)
    if args.part == "join":
        return _join(args)
    if args.part == "split":
        print(f"wrote {', '.join(split_model(args.model, args.run / 'parts'))} into {args.run / 'parts'}")
        return 0
    args.device = str(choose_device(args.device))
    refuse_crowding(args.processes, args.device)
    with joined(args.device) as workers:
        if workers.leads:
            _prepare_clips(args)
        workers.wait()
        _train(args)
    return 0


def _prepare_clips(args: argparse.Namespace) -> None:
    """The corpus or the library as clips; nothing is rendered or cut twice."""
    clips, parts = args.run / "clips", args.run / "parts"
    if getattr(args, "start", None):
        note_start(parts, args.start)
    if getattr(args, "curves", None):
        note_curves(parts, args.curves, begun=(args.run / "ldm" / CHECKPOINT_FILE).exists())
    config = join_parts(parts, args.preset).config if start_of(parts) else PRESETS[args.preset]
    seconds = config.window_rows * config.vae.stride / config.mel.frames_per_second
    if args.manifest:
        _cut_library(args, clips, seconds)
    else:
        corpus = ClipSettings(clips, args.clips, seconds=seconds, mixture_share=args.mixture_share)
        render_clips(corpus, partial(_show_count, "rendering"))


def _train(args: argparse.Namespace) -> None:
    own = "clap_text" if getattr(args, "keep_audio", False) else args.part  # another training, with steps of its own
    clips, parts, record = args.run / "clips", args.run / "parts", Recorder(args.run / own)
    if args.part == "ldm":
        _settle_rates(args, parts)
    loop = LoopSettings(
        args.run / own,
        args.steps,
        args.rate,
        warmup_steps=args.warmup,
        decay_share=args.decay_share,
        seed=args.seed,
        listen_every_s=60 * args.listen_every or None,
    )
    common = clips, parts, loop, args.preset
    if args.part == "clap":
        clap = ClapSettings(*common, args.batch, keep_audio=args.keep_audio, hold=args.hold, device=args.device)
        run_together(train_clap, (clap, record), args.processes, args.device)
    elif args.part == "ear":
        ear = EarSettings(clips, parts, args.recordings, loop, args.preset, args.batch, args.folds)
        run_together(train_ear, (ear, record, _show_hearing), args.processes)
    elif args.part == "vae":
        vae = VaeSettings(*common, args.batch, adversarial_from=args.adversarial_from, device=args.device)
        run_together(train_vae, (vae, record), args.processes, args.device)
    elif args.part == "vocoder":
        vocoder = VocoderSettings(
            *common, batch_size=args.batch, adversarial_from=args.adversarial_from, device=args.device
        )
        run_together(train_vocoder, (vocoder, record), args.processes, args.device)
    elif args.part == "draft":
        draft = DraftSettings(
            *common, args.batch, num_trajectories=args.trajectories, guidance=args.guidance, device=args.device
        )
        run_together(_train_draft, (draft, record), args.processes, args.device)
    else:
        run_together(_train_ldm, (_denoiser_settings(args, loop), record), args.processes, args.device)


def _denoiser_settings(args: argparse.Namespace, loop: LoopSettings) -> LdmSettings:
    return LdmSettings(
        args.run / "clips",
        args.run / "parts",
        loop,
        args.preset,
        args.batch,
        _CONDITIONS[args.conditions] if args.conditions else args.text_share,
        args.drop_share,
        args.mixup_share,
        ema_limit=args.ema,
        scale_exponent=args.scale_exponent,
        device=args.device,
        rank=args.rank,
        shorter_share=args.shorter_share,
        compiles=args.compile,
        emphasis=dict(args.emphasis),
    )


def _settle_rates(args: argparse.Namespace, parts: Path) -> None:
    """Fill in missing options, and warn of those that would degrade the model that the run started from."""
    usual = rates_of(parts)
    for name in ("rate", "warmup", "decay_share", "ema"):
        if getattr(args, name) is None:
            setattr(args, name, getattr(usual, name))
    chosen = Rates(args.rate, args.warmup, args.decay_share, args.ema)
    for sentence in warnings_about(chosen, usual, args.steps, lora=args.rank > 0):
        print(f"warning: {sentence}", file=sys.stderr)


def _train_ldm(workers: Workers, settings: LdmSettings, record: Recorder) -> None:
    prepare_latents(workers, settings, partial(_show_count, "encoding"))
    train_ldm(workers, settings, record)


def _train_draft(workers: Workers, settings: DraftSettings, record: Recorder) -> None:
    places = settings.clips, settings.parts, settings.loop, settings.preset
    prepare_latents(workers, LdmSettings(*places, device=settings.device))
    prepare_trajectories(workers, settings, partial(_show_count, "trajectories"))
    train_draft(workers, settings, record)


def _cut_library(args: argparse.Namespace, clips: Path, seconds: float) -> None:
    """The files of the list as clips; what was passed over is named, the first ten on the terminal."""
    library = LibrarySettings(clips, args.manifest, args.audio_root, seconds)
    cut = cut_clips(library, partial(_show_count, "reading"))
    skipped = read_skipped(clips)
    for one in skipped[:_NAMED]:
        print(f"passed over {one.name}: {one.reason}", file=sys.stderr)
    if len(skipped) > _NAMED:
        print(f"and {len(skipped) - _NAMED} more, see {clips / SKIPPED_FILE}", file=sys.stderr)
    save_vocabulary(args.run / "parts", (c for clip in cut.about for c in clip["captions"]), cut.class_names)


def _train_air(args: argparse.Namespace) -> int:
    """Train the air net on folders of recordings."""
    if args.output.exists() and any(args.output.iterdir()):
        raise OutputExistsError(args.output)
    settings = AirSettings(
        tuple(args.folders), args.output, args.steps, args.batch, peak_rate=args.rate, seed=args.seed
    )
    train_air(settings, codec_of(open_model(args.codec)), partial(print, file=sys.stderr, flush=True))
    print(f"wrote {args.output}")
    return 0


def _join(args: argparse.Namespace) -> int:
    if args.output.exists() and any(args.output.iterdir()):
        raise OutputExistsError(args.output)
    parts = args.run / "parts"
    save_model(join_parts(parts, args.preset), args.output, small=args.small)
    if (parts / "draft.safetensors").exists() and draft_of(parts) is None:
        print(
            "left out the draft net: the denoiser has learnt on since; run `retake train draft` again", file=sys.stderr
        )
    print(f"wrote {args.output}")
    return 0


def _show_hearing(hearing: Hearing) -> None:
    print(hearing, flush=True)


def _show_count(what: str, done: int, total: int) -> None:
    print(f"{what} {done}/{total}", file=sys.stderr, flush=True)
