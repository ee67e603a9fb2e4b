"""The options of every command, as words; imports nothing that is slow. Same words as on the wire."""

import argparse
from pathlib import Path

from engine.cli.request_options import add_option, add_request_options, seed_of
from engine.evaluation.paper_budget import BUDGETS as PAPER_BUDGETS
from engine.evaluation.paper_budget import PARTS as PAPER_PARTS
from engine.operation_table import rows_of

DEVICES = ("auto", "cpu", "cuda", "mps")
SECONDS = rows_of("generate")["seconds"]["default"]


def add_generate(parser: argparse.ArgumentParser) -> None:
    _add_operation(parser, "generate")


def add_restyle(parser: argparse.ArgumentParser) -> None:
    _add_operation(parser, "restyle")


def add_vary(parser: argparse.ArgumentParser) -> None:
    _add_operation(parser, "vary")


def add_upscale(parser: argparse.ArgumentParser) -> None:
    _add_operation(parser, "upscale")


def add_inpaint(parser: argparse.ArgumentParser) -> None:
    _add_operation(parser, "inpaint")


def _add_operation(parser: argparse.ArgumentParser, operation: str) -> None:
    add_request_options(parser, operation)
    result = parser.add_argument_group("model and result")
    _add_output(result)
    _add_model(result)
    _add_json(result)


def add_again(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make a take again from the provenance stored in it, sample for sample; with another --seed, make a new one."
    )
    parser.add_argument("take", type=Path, metavar="FILE", help="a WAV that Retake made, or the .json beside it")
    _add_output(parser)
    parser.add_argument("--seed", type=seed_of, metavar="N", help="another seed, or random (default the take's)")
    parser.add_argument("--clip", type=Path, help="where the clip that it was made from is now, if it has moved")
    parser.add_argument(
        "--like", type=Path, metavar="CLIP", help="where the clip that it is like is now, if it has moved"
    )
    parser.add_argument(
        "--follow", type=Path, metavar="CLIP", help="where the clip that it follows is now, if it has moved"
    )
    parser.add_argument("--model", metavar="NAME", help="a name or a folder (default the take's)")
    parser.add_argument("--device", choices=DEVICES, help="where to compute (default the take's)")
    _add_json(parser)


def add_listen(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Say what is in sound files: of the sounds that the model knows, the likeliest first. A score of 0.3 means that"
        " three of ten recordings with that score are what it says."
    )
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a sound file, or a folder: every sound file in it"
    )
    parser.add_argument(
        "--names", metavar="A,B", help="listen for these only, in any words (default all sounds that the model knows)"
    )
    _add_model(parser)
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
        help="download a published model",
        description="Download a published model: an AudioLDM checkpoint, or a Stable Audio 3 with the token of HF_TOKEN"
        " or `hf auth login`. An interrupted download is kept, and the next pull resumes it. RETAKE_OFFLINE=1 forbids"
        " every download; RETAKE_ZENODO_URL and HF_ENDPOINT name mirrors; RETAKE_MODELS moves the models folder.",
    )
    action.add_argument("name", help="a name from `retake models list`; or panns or vggish, to compare clips with")
    action.add_argument(
        "--form",
        choices=("original", "diffusers"),
        default="original",
        help="the authors' file, or the smaller diffusers folder, without audio tower (default original)",
    )
    action.add_argument("--revision", metavar="COMMIT", help="of the Hub's repository (default the newest)")
    action.add_argument("-y", "--accept-licence", action="store_true", help="accept the licence without being asked")
    action.add_argument("--keep-download", action="store_true", help="keep the downloaded files after the import")
    _add_json(action)


def _add_import(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    action = actions.add_parser(
        "import",
        help="install an AudioLDM checkpoint that you have",
        description="Install an AudioLDM checkpoint: the authors' .ckpt file, or a diffusers folder. Its weights are"
        " copied into the models folder; your files are only read.",
    )
    action.add_argument("path", type=Path, help="the .ckpt file, or the folder that holds model_index.json")
    action.add_argument("--name", metavar="NAME", help="name of the new model (default that of its file)")
    action.add_argument(
        "--clap", type=Path, metavar="FILE", help="LAION-CLAP's file, for a diffusers folder, which has no audio tower"
    )
    action.add_argument(
        "--tokenizer",
        type=Path,
        metavar="FOLDER",
        help="folder with roberta-base's vocab.json and merges.txt, for a .ckpt",
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
        "Without folders: render held-out prompts with a model and measure the clips (classes and attributes"
        " recognised, Frechet distance, sharpness, CLAP score). With two folders: compare the first one's clips with"
        " the second one's. With --recordings: see how many labelled recordings the listeners name."
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="generated clips, then reference clips")
    _add_model(parser)
    parser.add_argument("--per-class", type=int, default=4, metavar="N", help="clips for each sound (default 4)")
    parser.add_argument("--sounds", metavar="A,B", help="only these sounds of the corpus (default all)")
    parser.add_argument("--seconds", type=float, metavar="S", help=f"length of each clip (default {SECONDS})")
    parser.add_argument("--seed", type=int, default=1, help="another seed uses other prompts (default 1)")
    _add_of_generate(parser, "steps", "guidance", "sampler", "tries")
    parser.add_argument("--draft", action="store_true", help="evaluate the model's quick drafts instead")
    parser.add_argument(
        "--edits",
        action="store_true",
        help="evaluate restyling and inpainting of corpus clips instead; with one FOLDER, edits of its recordings",
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        metavar="FOLDER",
        help="evaluate what classifier and CLAP hear in recordings instead: in folders named after kinds of sounds",
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="evaluate how well sounds follow hums, taps and whistles instead; with one FOLDER, its recordings too",
    )
    parser.add_argument(
        "--statistics",
        action="store_true",
        help="measure noise floor, repetition, flicker, highs and event lengths of corpus clips instead, beside the "
        "recordings in one FOLDER (a folder in it for each kind)",
    )
    parser.add_argument(
        "--air",
        type=Path,
        metavar="FOLDER",
        help="cut a folder's recordings at 8 kHz instead, make their highs again, and compare with simpler means",
    )
    parser.add_argument("--strength", type=float, metavar="S", help="of the restyling, for --edits (default 0.6)")
    parser.add_argument("--structure", type=float, metavar="S", help="likewise (default the model's; 0 plain noising)")
    parser.add_argument("--captions", type=Path, metavar="FILE", help="CSV file,caption[,class] or JSON, for folders")
    parser.add_argument(
        "--features",
        metavar="A,B",
        help="for folders: Frechet distance, IS and KL by these feature extractors: classifier (ours, also called "
        "judge), panns, vggish (FAD)",
    )
    parser.add_argument(
        "--pipeline",
        choices=("paper", "seed"),
        help="for folders: paper is panns,vggish on clips prepared as in audioldm_eval; seed compares each pair on "
        "VGGish's features",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FOLDER", help="folder of panns' and vggish's files, if they were not pulled"
    )
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="PNG",
        help="draw generated clips above corpus clips, or edits of recordings (needs Matplotlib)",
    )
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
        "Rerun the AudioLDM paper's comparisons on the model and on nets that start from it, and write RESULTS.md."
        " Needs a clone of the repository. Run it again to resume it; parts may run side by side in one folder.",
    )
    paper.add_argument("--paper", action="store_true", help="rerun them; takes no folders (needs Matplotlib)")
    paper.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="folder of its results")
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
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs, of which the median counts (default 5)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"length of each take (default {SECONDS})")
    _add_of_generate(parser, "steps", "sampler", "tries")
    parser.add_argument("--draft", action="store_true", help="time quick drafts")
    parser.add_argument("--candidates", type=int, default=1, metavar="N", help="takes per run (default 1)")
    parser.add_argument(
        "--against",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="also time it with e.g. steps=10 or sampler=ddim, alternating, and print the ratio",
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
        help="instead: restyle clips of 10 to 120 s, stereo at 48 kHz, and print time per second of clip and memory at"
        " each length",
    )
    parser.add_argument(
        "--reference-steps",
        type=int,
        default=6,
        metavar="N",
        help="with --published: time N of the reference's 200 steps and extrapolate (default 6)",
    )
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="machine-readable report, on stdout or to FILE"
    )


def _add_of_generate(parser: argparse.ArgumentParser, *names: str) -> None:
    for name in names:
        add_option(parser, name, rows_of("generate")[name])


def _add_output(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    parser.add_argument(
        "-o", "--output", type=Path, metavar="WAV", help="a new file, or a folder (default: a name here)"
    )


def _add_model(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    parser.add_argument("--model", default="nano", metavar="NAME", help="a name or a folder (default nano)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="where to compute (default auto)")


def _add_json(parser: "argparse.ArgumentParser | argparse._ArgumentGroup") -> None:
    parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")
