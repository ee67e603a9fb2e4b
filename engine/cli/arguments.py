"""The options of every command, as words; imports nothing that is slow. Same words as on the wire."""

import argparse
import secrets
from pathlib import Path
from typing import Any

from engine.checkpoints.catalogue import SHIPPED_MODELS, read_json
from engine.defaults import RESTYLE_STRENGTH, SECONDS, VARY_STRENGTH
from engine.evaluation.paper.budget import BUDGETS as PAPER_BUDGETS
from engine.evaluation.paper.budget import PARTS as PAPER_PARTS

DEVICES = ("auto", "cpu", "cuda", "mps")
SAMPLERS = ("dpm++2m", "dpm++2m-sde", "ddim")


def add_generate(parser: argparse.ArgumentParser) -> None:
    prompt = _add_prompt(parser, 'what it should sound like, e.g. "rain on a tin roof"')
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"length (default {SECONDS})")
    _add_tries(parser)
    _add_rendering(parser, prompt)


def add_restyle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, help="the audio file to start from")
    prompt = _add_prompt(parser, "what it should become")
    _add_strength(parser, RESTYLE_STRENGTH)
    parser.add_argument(
        "--structure",
        type=float,
        metavar="S",
        help="0 to 1: how firmly the clip's rise and fall in loudness is kept (default the model's;"
        f" nano's is {_default_of_nano('structure'):g})",
    )
    _add_part(parser)
    _add_keep_air(parser)
    _add_rendering(parser, prompt)


def add_vary(parser: argparse.ArgumentParser) -> None:
    parser.description = "Make another take of a clip. No words are needed: its own sound is the prompt."
    parser.add_argument("clip", type=Path, help="the audio file to start from")
    prompt = _add_prompt(parser, "words that join the clip's own sound; may be left out")
    _add_strength(parser, VARY_STRENGTH)
    _add_part(parser)
    _add_keep_air(parser)
    _add_rendering(parser, prompt)
    prompt.required = False


def add_upscale(parser: argparse.ArgumentParser) -> None:
    parser.description = "Make the highs that a clip lacks; what it holds stays what it is."
    parser.add_argument("clip", type=Path, help="the audio file that sounds dull")
    prompt = _add_prompt(parser, "words for the new highs; may be left out")
    parser.add_argument("--cutoff-hz", type=float, metavar="HZ", help="keep the clip up to here (default: as found)")
    parser.add_argument("--output-rate", type=int, metavar="HZ", help="sample rate of the result (default: as needed)")
    _add_part(parser)
    _add_rendering(parser, prompt)
    prompt.required = False


def add_inpaint(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, help="the audio file with the gap")
    prompt = _add_prompt(parser, "what should sound in the gap")
    parser.add_argument("--start", type=float, metavar="S", help="where the gap starts, in seconds")
    parser.add_argument("--end", type=float, metavar="S", help="where it ends, in seconds")
    parser.add_argument(
        "--region",
        type=float,
        nargs="+",
        action="append",
        default=[],
        metavar="N",
        help="a further gap: START END in seconds, or START END LOW HIGH with a band of its own in Hz",
    )
    parser.add_argument("--low-hz", type=float, metavar="HZ", help="replace frequencies above this only")
    parser.add_argument("--high-hz", type=float, metavar="HZ", help="replace frequencies below this only")
    _add_keep_air(parser)
    _add_rendering(parser, prompt)


def add_again(parser: argparse.ArgumentParser) -> None:
    parser.description = "Make a take again from its story, sample by sample; with another --seed, a new one like it."
    parser.add_argument("take", type=Path, metavar="FILE", help="a WAV that Retake made, or the .json beside it")
    _add_output(parser)
    parser.add_argument("--seed", type=_seed, metavar="N", help="another seed, or random (default the take's)")
    parser.add_argument("--clip", type=Path, help="where the clip lies that it was made from, if it has moved")
    parser.add_argument(
        "--like", type=Path, metavar="CLIP", help="where the clip lies that it is like, if it has moved"
    )
    parser.add_argument("--model", metavar="NAME", help="a name or a folder (default the take's)")
    parser.add_argument("--device", choices=DEVICES, help="where to compute (default the take's)")
    _add_json(parser)


def add_devices(parser: argparse.ArgumentParser) -> None:
    parser.description = "List what this machine can compute on, the best first."
    parser.add_argument("--json", action="store_true", help="machine-readable")


def add_models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    for name, summary in (("list", "what is installed (the default)"), ("show", "one model in detail")):
        action = actions.add_parser(name, help=summary, description=summary)
        _add_json(action)
        if name == "show":
            action.add_argument("name", help="a name from `retake models list`, or a folder")
    _add_pull(actions)
    _add_import(actions)
    _add_remove(actions)
    parser.set_defaults(action="list", json=False)


def _add_pull(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser(
        "pull",
        help="download a published AudioLDM checkpoint",
        description="Download a published AudioLDM checkpoint and import it. What has arrived when this is interrupted"
        " is kept, and the next pull goes on from there. RETAKE_OFFLINE=1 forbids every download; RETAKE_ZENODO_URL and"
        " HF_ENDPOINT name mirrors; RETAKE_MODELS moves the models folder.",
    )
    action.add_argument("name", help="a name from `retake models list`; or panns, vggish, by which clips are compared")
    action.add_argument(
        "--form",
        choices=("original", "diffusers"),
        default="original",
        help="the authors' file, or the smaller diffusers folder, which cannot hear (default original)",
    )
    action.add_argument("--revision", metavar="COMMIT", help="of the diffusers folder (default the newest)")
    action.add_argument("-y", "--accept-licence", action="store_true", help="accept the licence without being asked")
    action.add_argument("--keep-download", action="store_true", help="keep the downloaded files after the import")
    _add_json(action)


def _add_import(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser(
        "import",
        help="install an AudioLDM checkpoint that you have",
        description="Install an AudioLDM checkpoint: the authors' .ckpt file, or a diffusers folder. Its weights are"
        " copied into the models folder; the files that you have are only read.",
    )
    action.add_argument("path", type=Path, help="the .ckpt file, or the folder in which model_index.json lies")
    action.add_argument("--name", metavar="NAME", help="what it will be called (default by its file)")
    action.add_argument(
        "--clap", type=Path, metavar="FILE", help="LAION-CLAP's file, for a diffusers folder, which cannot hear alone"
    )
    action.add_argument(
        "--tokenizer", type=Path, metavar="FOLDER", help="with vocab.json and merges.txt of roberta-base, for a .ckpt"
    )
    action.add_argument(
        "--heads",
        choices=("original", "diffusers"),
        default="original",
        help="attention heads as the models were trained with, or as diffusers counts them (default original)",
    )
    _add_json(action)


def _add_remove(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser(
        "remove", help="delete a model that you installed", description="Delete a model and its downloads."
    )
    action.add_argument("name", help="a name from `retake models list`")
    action.add_argument("-y", "--yes", action="store_true", help="delete without being asked")
    _add_json(action)


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Without folders: let a model render held-out prompts and judge the clips (classes and attributes recognised,"
        " Frechet distance, sharpness, CLAP score). With two folders: compare the clips in the first with the second's."
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="generated clips, then reference clips")
    _add_model(parser)
    parser.add_argument("--per-class", type=int, default=4, metavar="N", help="clips for each sound (default 4)")
    parser.add_argument("--sounds", metavar="A,B", help="only these sounds of the corpus (default all)")
    parser.add_argument("--seconds", type=float, metavar="S", help=f"length of each clip (default {SECONDS})")
    parser.add_argument("--seed", type=int, default=1, help="another seed asks other prompts (default 1)")
    parser.add_argument("--steps", type=int, help="denoising steps (default the model's)")
    parser.add_argument("--guidance", type=float, help="how closely to follow the prompt (default the model's)")
    parser.add_argument("--sampler", choices=SAMPLERS, help="(default dpm++2m)")
    _add_tries(parser)
    parser.add_argument("--draft", action="store_true", help="judge the model's quick drafts instead")
    parser.add_argument(
        "--edits",
        action="store_true",
        help="judge restyling and inpainting of real clips instead; with one FOLDER, what edits of its recordings keep",
    )
    parser.add_argument("--strength", type=float, metavar="S", help="of the restyling, for --edits (default 0.6)")
    parser.add_argument("--structure", type=float, metavar="S", help="likewise (default the model's; 0 plain noising)")
    parser.add_argument("--captions", type=Path, metavar="FILE", help="CSV file,caption[,class] or JSON, for folders")
    parser.add_argument(
        "--features",
        metavar="A,B",
        help="for folders: Frechet distance, IS and KL by the ears of these nets: judge (ours), panns, vggish (FAD)",
    )
    parser.add_argument(
        "--pipeline",
        choices=("paper", "seed"),
        help="for folders: paper is panns,vggish, which hear as in audioldm_eval; seed compares each pair on VGGish's "
        "features",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FOLDER", help="where panns' and vggish's files lie, if they were not pulled"
    )
    parser.add_argument("--picture", type=Path, metavar="PNG", help="draw generated beside real (needs Matplotlib)")
    _add_paper(parser)
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="machine-readable report, on stdout or to FILE; put it last",
    )


def _add_paper(parser: argparse.ArgumentParser) -> None:
    paper = parser.add_argument_group(
        "the paper in small",
        "Rerun the AudioLDM paper's comparisons on the model and on nets that begin as its own, and write RESULTS.md."
        " Run it again to go on after an interruption; parts may run side by side in one folder.",
    )
    paper.add_argument("--paper", action="store_true", help="do that, without folders (needs Matplotlib)")
    paper.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where its results lie")
    paper.add_argument(
        "--part", action="append", choices=PAPER_PARTS, help="only this part; may be repeated (default all)"
    )
    paper.add_argument(
        "--budget",
        choices=tuple(PAPER_BUDGETS),
        default="small",
        help="; ".join(f"{budget.name}: {budget.costs}" for budget in PAPER_BUDGETS.values()) + " (default small)",
    )


def add_benchmark(parser: argparse.ArgumentParser) -> None:
    parser.description = "Time `retake generate` with a warm model. Close other programs first."
    _add_model(parser)
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="the median of so many runs (default 5)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"length of each take (default {SECONDS})")
    parser.add_argument("--steps", type=int, help="denoising steps (default the model's)")
    parser.add_argument("--sampler", choices=SAMPLERS, help="(default dpm++2m)")
    parser.add_argument("--draft", action="store_true", help="time quick drafts")
    parser.add_argument("--candidates", type=int, default=1, metavar="N", help="takes a run (default 1)")
    _add_tries(parser)
    parser.add_argument(
        "--against",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="also time it with e.g. steps=10 or sampler=ddim, turn by turn, and give the ratio",
    )
    parser.add_argument(
        "--published",
        nargs="?",
        const="s",
        choices=("s", "m", "l"),
        help="instead: 10.24 s at a published size (default s) against diffusers and the reference's defaults, with"
        " random weights (needs diffusers)",
    )
    parser.add_argument(
        "--long",
        action="store_true",
        help="instead: restyle clips of 10 to 120 s, stereo at 48 kHz, and tell what a second costs at each length and"
        " how much memory it takes",
    )
    parser.add_argument(
        "--reference-steps",
        type=int,
        default=6,
        metavar="N",
        help="with --published: make N of the reference's 200 steps, reckon the others (default 6)",
    )
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="machine-readable report, on stdout or to FILE"
    )


class _InsteadOfWords(argparse.Action):
    """An option after which the prompt may be left out.

    Were the prompt optional from the start (`nargs="?"`), it could not be given behind other options.
    """

    def __init__(self, prompt: argparse.Action, **settings: Any) -> None:
        super().__init__(**settings)
        self._prompt = prompt

    def __call__(self, _: object, found: argparse.Namespace, value: object, __: object = None) -> None:
        self._prompt.required = False
        setattr(found, self.dest, value)


def _add_prompt(parser: argparse.ArgumentParser, words: str) -> argparse.Action:
    return parser.add_argument("prompt", default="", help=words)


def _add_strength(parser: argparse.ArgumentParser, strength: float) -> None:
    told = f"0 keeps the clip, 1 forgets it (default {strength})"
    parser.add_argument("--strength", type=float, default=strength, help=told)


def _default_of_nano(name: str) -> float:
    """What the shipped model's own config says: the one place where it stands."""
    return float(read_json(SHIPPED_MODELS / "nano")[f"default_{name}"])


def _add_part(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--start", type=float, metavar="S", help="from here only, in seconds")
    parser.add_argument("--end", type=float, metavar="S", help="up to here only, in seconds")


def _add_tries(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tries",
        type=int,
        metavar="N",
        help="try so often at most, until the sound matches the words; the best is kept (default the model's)",
    )


def _add_keep_air(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep-air", action="store_true", help="keep the clip's highs that the model cannot make")


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, metavar="WAV", help="a new file, or a folder (default: a name here)"
    )


def _add_rendering(parser: argparse.ArgumentParser, prompt: argparse.Action) -> None:
    _add_output(parser)
    parser.add_argument(
        "--like",
        type=Path,
        metavar="CLIP",
        action=_InsteadOfWords,
        prompt=prompt,
        help="an audio file that it should sound like; the words may then be left out",
    )
    parser.add_argument(
        "--like-weight", type=float, default=0.5, metavar="W", help="0 words alone, 1 that file alone (default 0.5)"
    )
    _add_seed(parser)
    parser.add_argument("--draft", action="store_true", help="rough but quick, to hear where a prompt leads")
    parser.add_argument("--steps", type=int, metavar="N", help="denoising steps (default the model's)")
    parser.add_argument("--guidance", type=float, metavar="G", help="how closely to follow the prompt")
    parser.add_argument("--candidates", type=int, default=1, metavar="N", help="render so many takes, best first")
    parser.add_argument("--negative", default="", metavar="WORDS", help="what it should not sound like")
    parser.add_argument("--sampler", choices=SAMPLERS, help="(default dpm++2m, or dpm++2m-sde to keep structure)")
    _add_model(parser)
    _add_json(parser)


class Drawn(int):
    """A seed that nobody gave: the result has to tell it, or the sound could not be had again."""


def _seed(word: str) -> int:
    """A seed as it is given: a whole number, or `random`."""
    if word == "random":
        return Drawn(secrets.randbelow(1_000_000))
    try:
        return int(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no seed; give a whole number, or random") from None


def _add_seed(parser: argparse.ArgumentParser) -> None:
    told = "same seed, same sound; random, the default, draws another one each time and says which"
    parser.add_argument("--seed", type=_seed, default="random", metavar="N", help=told)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="nano", metavar="NAME", help="a name or a folder (default nano)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default auto)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
