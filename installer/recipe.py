"""What the spec is made of: the hidden imports and data of each program, and what is then taken out again."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from installer.exclusions import LIGHT, excluded_models, excluded_modules, is_left_out
from installer.product import NAME, ROOT, VERSION

Row = tuple[str, str, str]
"""PyInstaller's: place in the bundle, file that it comes from, and type code."""

IMPORTED_BY_NAME = (
    "transformers.models.clap.configuration_clap",
    "transformers.models.clap.modeling_clap",
    "transformers.models.roberta.configuration_roberta",
    "transformers.models.roberta.modeling_roberta",
    "transformers.tokenization_utils_base",
    "huggingface_hub.hf_api",
    "huggingface_hub.file_download",
    "sounddevice",
)
"""What the towers of CLAP and lazy packages import by name, which PyInstaller cannot see."""

WINDOW = "bridge.desktop"

_DATA = {"engine/weights": "engine/weights", "daw_scripts": "daw_scripts"}
_FILES = {"engine/benchmark.json": "engine", "bridge/PROTOCOL.md": "bridge", "LICENSE": "."}
_NOT_DATA = {"node_modules", "__pycache__"}


def own_modules(*packages: str, root: Path = ROOT) -> list[str]:
    """List our modules: commands are found by name, so PyInstaller sees only some of them."""
    files = [path for package in packages for path in sorted((root / package).rglob("*.py"))]
    return [".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for path in files]


def modules_without_window() -> list[str]:
    """List our modules less those of the tray app, a program of its own, and of the paper's rerun, left to clones."""
    outside = (f"{WINDOW}.", "engine.evaluation.paper.")
    return [name for name in own_modules("engine", "bridge") if not f"{name}.".startswith(outside)]


def data_files(root: Path = ROOT) -> list[tuple[str, str]]:
    """List what travels beside the code, model, DAW scripts and documents: (file, folder in the bundle)."""
    found = [(str(root / name), folder) for name, folder in _FILES.items()]
    for name, folder in _DATA.items():
        for path in sorted((root / name).rglob("*")):
            inside = path.relative_to(root / name)
            if path.is_file() and not _NOT_DATA & set(inside.parts) and path.suffix != ".ablx":
                found.append((str(path), (Path(folder) / inside).parent.as_posix()))
    return found


def own_metadata(folder: Path) -> tuple[str, str]:
    """Write the few lines by which `retake --version` knows itself; (folder, folder in the bundle)."""
    name = f"{NAME}-{VERSION}.dist-info"
    (folder / name).mkdir(parents=True, exist_ok=True)
    text = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\nLicense-Expression: Apache-2.0\n"
    (folder / name / "METADATA").write_text(text, encoding="utf-8")
    return str(folder / name), name


def heavy_excludes() -> list[str]:
    """List what even the render process does not have."""
    spec = find_spec("transformers")
    assert spec is not None, "transformers is not installed; hint: build in a venv with Retake's requirements"
    assert spec.submodule_search_locations is not None
    return [*excluded_modules(), *excluded_models(Path(spec.submodule_search_locations[0])), "PySide6"]


def light_excludes(*further: str) -> list[str]:
    """List what the tray app and the sender do not have, the sender with `further`."""
    return [*excluded_modules(), *LIGHT, *further]


def kept(rows: Iterable[Row]) -> list[Row]:
    """Take out the files that the table of exclusions names."""
    return [row for row in rows if not is_left_out(row[0])]
