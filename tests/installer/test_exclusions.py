"""The table of what stays out of the bundle: each row with a reason, and none that would take away what is needed."""

import ast
from pathlib import Path

import pytest

from installer.exclusions import (
    EXCLUSIONS,
    KEPT_MODELS,
    LIGHT,
    Exclusion,
    excluded_models,
    excluded_modules,
    is_left_out,
)
from installer.recipe import IMPORTED_BY_NAME, data_files, kept, modules_without_window, own_modules
from installer.savings import saved_bytes

ROOT = Path(__file__).parents[2]


def imported_at_the_top(path: Path) -> set[str]:
    """What a file imports whenever it is imported itself."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


class TestTable:
    @pytest.mark.parametrize("row", EXCLUSIONS, ids=lambda row: row.name)
    def test_every_row_has_a_reason_and_leaves_something_out(self, row):
        assert len(row.reason) > 15
        assert row.modules or row.files

    def test_no_two_rows_name_the_same(self):
        names = [*excluded_modules(), *(pattern for row in EXCLUSIONS for pattern in row.files)]

        assert sorted(names) == sorted(set(names))

    @pytest.mark.parametrize("room", ["requests", "operations", "models", "checkpoints", "diffusion", "cli"])
    def test_what_the_engine_imports_stays(self, room):
        rooms_that_draw = {"engine/cli/evaluation.py"}
        for path in (ROOT / "engine" / room).glob("*.py"):
            if path.relative_to(ROOT).as_posix() not in rooms_that_draw:
                tops = {name.partition(".")[0] for name in imported_at_the_top(path)}
                assert not (imported_at_the_top(path) | tops) & set(excluded_modules()), path

    def test_laion_clap_stays_out_of_every_program(self):
        assert {"laion_clap", "librosa", "numba", "h5py"} <= set(excluded_modules())
        assert "clap" in KEPT_MODELS

    def test_what_is_imported_by_name_stays(self):
        out = excluded_modules()
        for name in IMPORTED_BY_NAME:
            assert not [module for module in out if name == module or name.startswith(f"{module}.")]

    def test_the_sender_and_the_tray_have_no_torch(self):
        assert {"torch", "transformers"} <= set(LIGHT)

    def test_the_tray_has_what_it_reads_sound_files_with(self):
        picture = (ROOT / "bridge" / "desktop" / "state" / "sound_picture.py").read_text(encoding="utf-8")
        assert "from engine import" in picture
        assert "engine" not in LIGHT


class TestModels:
    def test_of_transformers_only_the_named_ones_stay(self, tmp_path):
        for name in ("roberta", "llama", "auto"):
            (tmp_path / "models" / name).mkdir(parents=True)
            (tmp_path / "models" / name / "__init__.py").touch()
        (tmp_path / "models" / "__init__.py").touch()

        assert excluded_models(tmp_path) == ["transformers.models.llama"]
        assert "roberta" in KEPT_MODELS


class TestFiles:
    @pytest.mark.parametrize(
        "place",
        [
            "torch/bin/test_jit",
            "torch/include/ATen/ATen.h",
            "torch/lib/libtorchbind_test.so",
            "torch/nn/init.py",
            "torch\\include\\torch\\script.h",
            "libcudart.so.13",
            "PySide6/Qt/translations/qtbase_de.qm",
            "PySide6/Qt/plugins/platforms/libqeglfs.so",
            "retake.egg-info/PKG-INFO",
        ],
    )
    def test_named_ones_go(self, place):
        assert is_left_out(place)

    @pytest.mark.parametrize(
        "place",
        [
            "torch/bin/torch_shm_manager",
            "torch/lib/libtorch_cpu.so",
            "torch/_inductor/config.py",
            "torch/nn/functional.py",
            "transformers/models/roberta/modeling_roberta.py",
            "engine/weights/nano/model.safetensors",
            "engine/weights/classifier/classifier.safetensors",
            "daw_scripts/ableton/remote_script/Retake/surface.py",
            "PySide6/Qt/plugins/platforms/libqxcb.so",
            "PySide6/Qt/plugins/platforms/libqoffscreen.so",
            "retake-0.1.0.dist-info/METADATA",
            "libcrypto.so.3",
        ],
    )
    def test_needed_ones_stay(self, place):
        assert not is_left_out(place)

    def test_rows_of_an_analysis_are_sifted(self):
        rows = [("torch/lib/libc10.so", "/a", "BINARY"), ("torch/bin/protoc", "/b", "BINARY")]

        assert kept(rows) == rows[:1]


class TestOwnThings:
    def test_every_module_is_named(self):
        modules = own_modules("engine", "bridge")

        assert {"engine", "engine.cli.models", "bridge.rendering.process", "bridge.daw_install.command"} <= set(modules)
        assert len(modules) == len(list((ROOT / "engine").rglob("*.py"))) + len(list((ROOT / "bridge").rglob("*.py")))

    def test_the_paper_s_rerun_stays_in_the_clone(self):
        modules = modules_without_window()

        assert "engine.evaluation.paper_budget" in modules
        assert not [name for name in modules if f"{name}.".startswith("engine.evaluation.paper.")]

    def test_the_model_the_scripts_and_the_protocol_travel_along(self):
        places = {f"{folder}/{Path(source).name}" for source, folder in data_files()}

        assert {
            "engine/weights/nano/model.safetensors",
            "engine/weights/nano/MODEL_CARD.md",
            "engine/benchmark.json",
            "bridge/PROTOCOL.md",
            "daw_scripts/reaper/Retake/Retake_Settings….lua",
            "daw_scripts/ableton/extension/build.mjs",
            "./LICENSE",
        } <= places
        assert not [place for place in places if "__pycache__" in place or "node_modules" in place]


class TestSavings:
    def test_a_module_is_its_folder_or_its_file_without_compiled_copies(self, tmp_path):
        (tmp_path / "big" / "__pycache__").mkdir(parents=True)
        (tmp_path / "big" / "part.py").write_bytes(bytes(100))
        (tmp_path / "big" / "__pycache__" / "part.pyc").write_bytes(bytes(70))
        (tmp_path / "torch" / "bin").mkdir(parents=True)
        (tmp_path / "torch" / "bin" / "tool").write_bytes(bytes(30))
        (tmp_path / "torch" / "bin" / "kept").write_bytes(bytes(9))
        row = Exclusion("a", "b", modules=("big", "nowhere"), files=("torch/bin/*",), but=("torch/bin/kept",))

        assert saved_bytes(row, tmp_path) == 130
