"""`python -m installer.savings`: how many megabytes each row of the exclusions keeps out, of what is installed here."""

import sysconfig
from pathlib import Path

from installer.exclusions import EXCLUSIONS, Exclusion, excluded_models, is_named

_SITE = Path(sysconfig.get_path("purelib"))


def saved_bytes(row: Exclusion, site: Path = _SITE) -> int:
    """Add up what a row names below a folder of installed packages; each file once."""
    found = {path for module in row.modules for path in module_files(module, site)}
    if row.files:
        for path in site.rglob("*"):
            if path.is_file() and is_named(path.relative_to(site).as_posix(), row):
                found.add(path)
    return sum(path.stat().st_size for path in found)


def module_files(module: str, site: Path) -> list[Path]:
    """List the files of a module: a folder with all in it but compiled copies, or one file; none if it is not there."""
    place = site.joinpath(*module.split("."))
    if place.is_dir():
        return [path for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return [path for path in (place.with_suffix(".py"), *place.parent.glob(f"{place.name}.*.so")) if path.is_file()]


def main() -> int:
    """Print the table, the largest first."""
    rows = [(saved_bytes(row), row.name, row.reason) for row in EXCLUSIONS]
    models = [path for name in excluded_models(_SITE / "transformers") for path in module_files(name, _SITE)]
    rows.append((sum(path.stat().st_size for path in models), "transformers' other models", "CLAP needs RoBERTa only"))
    print("| MB | what | why it may |\n|---:|---|---|")
    for size, name, reason in sorted(rows, reverse=True):
        print(f"| {size / 1e6:.1f} | {name} | {reason} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
