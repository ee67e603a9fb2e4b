"""`python -m installer.smoke DIST`: runs the frozen programs as on a machine without Python or network; measures them.

With `--chroot ROOT` the programs are those installed under `ROOT/opt/retake`, and run inside that system.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from installer.checks import CHECKS, CLIPS, Check, Findings, check_foreign_model
from installer.product import NAME, ROOT
from installer.stage import HOME, SmokeError, Stage


def prepare(home: Path, checkpoint: Path | None, tokenizer: Path | None) -> None:
    """Put clips, and a foreign checkpoint if there is one, into a fresh home."""
    home.mkdir(parents=True, exist_ok=True)
    for name in ("footfalls.wav", "strings.wav", "speech.wav"):
        shutil.copyfile(CLIPS / name, home / name)
    if checkpoint is not None and tokenizer is not None:
        shutil.copyfile(checkpoint, home / "foreign.ckpt")
        shutil.copytree(tokenizer, home / "words")


def carry_out(stage: Stage, checks: Sequence[Check]) -> Findings:
    """Make the checks one after another; one that fails does not keep the others from being made."""
    findings = Findings()
    for check in checks:
        name = check.__name__.removeprefix("check_").replace("_", " ")
        began = time.monotonic()
        try:
            check(stage, findings)
            print(f"ok    {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except (SmokeError, OSError, KeyError, ValueError, subprocess.TimeoutExpired) as error:
            findings.failures[name] = str(error)
            print(f"FAIL  {name}: {error}", flush=True)
    return findings


def _isolated(argv: Sequence[str]) -> list[str] | None:
    """Return the command that runs us again without a network; None where the system has no such thing."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        return None
    alone = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:  # noqa: S603
        return None
    again = [sys.executable, "-m", "installer.smoke", *argv, "--isolated"]
    return [*alone, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *again]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the smoke test: 0 all is well, 1 something failed or, with `--judge-times`, was too slow."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="python -m installer.smoke", description=__doc__)
    parser.add_argument("dist", type=Path, nargs="?", default=ROOT / "dist" / NAME, help="the folder of programs")
    parser.add_argument("--chroot", type=Path, metavar="ROOT", help="a system that has the package installed")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="a small foreign checkpoint to import")
    parser.add_argument("--tokenizer", type=Path, metavar="FOLDER", help="its vocab.json and merges.txt")
    parser.add_argument("--figures", type=Path, metavar="FILE", help="write what was measured as JSON")
    parser.add_argument("--judge-times", action="store_true", help="fail where a start took too long")
    parser.add_argument("--isolated", action="store_true", help="there is no network already")
    options = parser.parse_args(words)
    if not options.isolated and sys.platform == "linux":
        if command := _isolated(words):
            return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603
        print("note: this system cannot take the network away; only RETAKE_OFFLINE does")
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch, "home") if options.chroot is None else options.chroot / HOME
        prepare(home, options.checkpoint, options.tokenizer)
        programs = str(options.dist.absolute()) if options.chroot is None else f"/opt/{NAME}"
        extra = (check_foreign_model,) if options.checkpoint else ()
        findings = carry_out(Stage(programs, home, options.chroot), (*CHECKS[:-1], *extra, CHECKS[-1]))
    if not options.checkpoint:
        print("left out: the import of a foreign checkpoint, for which --checkpoint and --tokenizer name one")
    for name, value in findings.figures.items():
        print(f"{name:24} {value:g}")
    if options.figures:
        options.figures.write_text(json.dumps(findings.figures, indent=1) + "\n", encoding="utf-8")
    for line in findings.too_slow:
        print(f"slow: {line}")
    return 1 if findings.failures or (options.judge_times and findings.too_slow) else 0


if __name__ == "__main__":
    raise SystemExit(main())
