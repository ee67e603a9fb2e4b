"""One meaning a name: no class of the engine and the bridge, and no type alias of the engine, stands for two things."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ON_THE_WIRE = "bridge/wire/messages.py"
# The daemon imports nothing of the engine, so it has a message of its own for each request, under the request's name;
# and its news of a job carries what the engine's Progress says.
WIRE_TWINS = {"Generate", "Restyle", "Inpaint", "Vary", "Upscale", "Request", "Progress"}


def meanings(package: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, meaning and place of each class and of each alias (`Waveform = NDArray[np.float32]`)."""
    for path in sorted((ROOT / package).rglob("*.py")):
        place, tree = path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield node.name.lstrip("_"), f"a class of {place}", place
        for node in tree.body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)]) if _is_class_like(name) and package == "engine":
                    yield name.lstrip("_"), ast.unparse(node.value), place


def _is_class_like(name: str) -> bool:
    bare = name.lstrip("_")
    return bare[:1].isupper() and any(letter.islower() for letter in bare)


def test_a_name_stands_for_one_thing():
    by_name: dict[str, dict[str, str]] = defaultdict(dict)
    for package in ("engine", "bridge"):
        for name, meaning, place in meanings(package):
            if not (name in WIRE_TWINS and place == ON_THE_WIRE):
                by_name[name][meaning] = place
    twice = [f"{name}: {', '.join(places.values())}" for name, places in sorted(by_name.items()) if len(places) > 1]

    assert not twice, "\n".join(twice)


def test_every_twin_on_the_wire_is_needed():
    names = {name for name, _, place in meanings("bridge") if place == ON_THE_WIRE}
    engine = {name for name, _, _ in meanings("engine")}

    assert names & engine == WIRE_TWINS


def test_what_is_synthesised_is_never_called_real():
    """Only recordings are; see the glossary in `engine/README.md`."""
    evaluation = sorted((ROOT / "engine" / "evaluation").rglob("*.py"))
    pattern = r"\breal\b(?=\s*[:=,)\]])|\b\w+_real\b|\breal_\w+\b"  # a variable, a parameter, a field
    assert [(path.name, *found) for path in evaluation if (found := re.findall(pattern, path.read_text("utf-8")))] == []
