"""What is left out of the bundle, row by row with its reason; `python -m installer.smoke` shows that nothing misses it.

A row names Python modules (with all that is in them) or files by their place in the bundle.
"""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path


@dataclass(frozen=True)
class Exclusion:
    """Modules and files that stay outside, and why they may."""

    name: str
    reason: str
    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Patterns of places in the bundle, with slashes; a star stands for slashes, too."""
    but: tuple[str, ...] = ()
    """Patterns of files that stay, though `files` names them."""


EXCLUSIONS: tuple[Exclusion, ...] = (
    Exclusion(
        "laion-clap and what it brings",
        "transformers computes the same towers, and looks first for what it names of these",
        modules=(
            "laion_clap",
            "torchlibrosa",
            "librosa",
            "numba",
            "llvmlite",
            "h5py",
            "sklearn",
            "pandas",
            "wandb",
            "webdataset",
            "braceexpand",
            "wget",
            "progressbar",
            "ftfy",
            "wcwidth",
        ),
    ),
    Exclusion(
        "PyTorch's sister packages",
        "transformers looks for them, for models of pictures and for other readers of sounds",
        modules=("torchvision", "torchaudio"),
    ),
    Exclusion(
        "CUDA",
        "a build machine's own libraries, which PyTorch for processors never asks for",
        files=("libcud*", "libcublas*", "libnv*", "nvidia/*"),
    ),
    Exclusion(
        "plots",
        "Retake draws only in `retake train` and `retake evaluate --picture`, which say what they miss",
        modules=("matplotlib", "PIL", "IPython", "ipywidgets", "pyglet", "plotly"),
    ),
    Exclusion(
        "readline and gdbm",
        "these parts of Python would bring the GPL into the package; nothing here edits lines in a terminal",
        modules=("readline", "_gdbm"),
    ),
    Exclusion("tkinter", "the window is Qt's", modules=("tkinter", "_tkinter", "turtle", "idlelib")),
    Exclusion(
        "tools of development",
        "nothing is installed, tested or compiled inside the bundle",
        modules=(
            "pip",
            "setuptools",
            "pkg_resources",
            "wheel",
            "distutils",
            "lib2to3",
            "ensurepip",
            "pytest",
            "_pytest",
            "hypothesis",
            "mypy",
            "ruff",
            "diffusers",
            "ninja",
            "triton",
            "pydoc_data",
            "test",
        ),
    ),
    Exclusion(
        "PyTorch's tests and tools",
        "programs and libraries that test PyTorch itself, compilers of its schemas; `torch_shm_manager` stays",
        modules=(
            "torch.testing._internal.common_utils",
            "torch.testing._internal.common_device_type",
            "torch.testing._internal.common_distributed",
            "torch.testing._internal.common_methods_invocations",
            "torch.testing._internal.opinfo",
            "torch.utils.tensorboard",
            "torch.utils.benchmark",
            "torch.utils.bottleneck",
            "torch.utils.cpp_extension",
            "torch.utils.hipify",
            "torch.utils.model_dump",
            "torch.utils.viz",
            "torch.utils.jit",
        ),
        files=(
            "torch/test/*",
            "torch/bin/test_*",
            "torch/bin/protoc*",
            "torch/lib/libtorchbind_test.*",
            "torch/lib/libjitbackend_test.*",
            "torch/lib/libbackend_with_compiler.*",
            "torch/lib/libaoti_custom_ops.*",
            "torch/lib/torchbind_test.*",
            "torch/lib/jitbackend_test.*",
            "torch/lib/backend_with_compiler.*",
            "torch/lib/aoti_custom_ops.*",
        ),
    ),
    Exclusion(
        "PyTorch's headers",
        "for compiling C++ against it; static libraries likewise",
        files=("torch/include/*", "torch/share/*", "torch/lib/*.a", "torch/lib/*.lib", "torch/*.pyi"),
    ),
    Exclusion(
        "PyTorch's compiler",
        "`torch.compile` needs a C++ compiler, which a musician has not; ours runs eagerly",
        modules=(
            "torch._inductor.codegen",
            "torch._inductor.fx_passes",
            "torch._inductor.kernel",
            "torch._inductor.compile_fx",
            "torch._inductor.scheduler",
            "torch._inductor.lowering",
            "torch._inductor.ir",
            "torch._inductor.graph",
            "torch._inductor.select_algorithm",
        ),
    ),
    Exclusion(
        "PyTorch's sources",
        "compiled modules are enough, save for some that PyTorch reads to know its own settings and signatures",
        files=("torch/*.py", "torchgen/*.py"),
        but=(
            "torch/*config.py",
            "torch/functional.py",
            "torch/nn/functional.py",
            "torch/nn/modules/rnn.py",
            "torch/_dynamo/_trace_wrapped_higher_order_op.py",
            "torch/_dynamo/variables/streams.py",
            "torch/_library/custom_ops.py",
            "torch/_native/*.py",
            "torch/distributed/_functional_collectives.py",
            "torch/distributed/optim/*.py",
            "torch/distributed/tensor/_collective_utils.py",
            "torch/distributions/von_mises.py",
            "torch/onnx/ops/*.py",
            "torch/utils/_debug_mode/*.py",
        ),
    ),
    Exclusion(
        "transformers' trainers and pipelines",
        "CLAP's text tower is built from its configuration and run; nothing is trained, served or quantised with it",
        modules=(
            "transformers.cli",
            "transformers.commands",
            "transformers.data",
            "transformers.pipelines",
            "transformers.sagemaker",
            "transformers.trainer",
            "transformers.trainer_seq2seq",
            "transformers.testing_utils",
            "transformers.quantizers.auto_round",
            "transformers.utils.notebook",
            "accelerate",
            "bitsandbytes",
            "tensorflow",
            "jax",
            "flax",
            "datasets",
            "peft",
            "optuna",
            "ray",
            "tensorboard",
            "onnx",
            "onnxruntime",
        ),
    ),
    Exclusion(
        "hf-xet",
        "the Hub is only asked what it has; files come by plain HTTPS, `engine/checkpoints/transfer.py`",
        modules=("hf_xet",),
    ),
    Exclusion(
        "huggingface-hub's other uses",
        "Retake calls its list of files only; the rest of the package is imported where it is used",
        modules=(
            "huggingface_hub.cli",
            "typer",
            "rich",
            "shellingham",
            "click",
            "pygments",
            "markdown_it",
            "mdurl",
            "huggingface_hub.inference",
            "fsspec",
            "requests",
            "urllib3",
            "charset_normalizer",
            "aiohttp",
        ),
    ),
    Exclusion(
        "the tests of numpy and scipy, and scipy's file formats",
        "they test themselves; and audio is read by soundfile",
        modules=("numpy.f2py", "numpy.distutils", "scipy.io", "scipy.cluster", "scipy.datasets", "scipy.odr"),
        files=("numpy/*/tests/*", "scipy/*/tests/*", "numpy/*.pyi", "scipy/*.pyi", "numpy/core/include/*"),
    ),
    Exclusion(
        "graphs of networks",
        "the partitioner of PyTorch's compiler draws with it",
        modules=("networkx", "pydot"),
    ),
    Exclusion("protocol buffers", "written by TensorBoard and ONNX only", modules=("google", "google.protobuf")),
    Exclusion(
        "lists of what was installed",
        "pip's records have no use here, and all licences stand in THIRD-PARTY-LICENCES.txt",
        files=("*.dist-info/RECORD", "*.dist-info/licenses/*", "*.egg-info/*", "*.dist-info/INSTALLER"),
    ),
    Exclusion(
        "Qt's other rooms",
        "QML, Quick, Designer, Help, SQL, printing and tests: the window is made of widgets",
        modules=(
            "PySide6.QtQml",
            "PySide6.QtQuick",
            "PySide6.QtQuickControls2",
            "PySide6.QtQuickWidgets",
            "PySide6.QtQuickTest",
            "PySide6.QtDesigner",
            "PySide6.QtHelp",
            "PySide6.QtSql",
            "PySide6.QtTest",
            "PySide6.QtUiTools",
            "PySide6.QtXml",
            "PySide6.QtPrintSupport",
            "PySide6.QtConcurrent",
            "PySide6.QtOpenGL",
            "PySide6.QtOpenGLWidgets",
            "PySide6.QtLabsStyleKit",
            "PySide6.QtQmlFeatures",
        ),
        files=(
            "*libQt6Qml*",
            "*libQt6Quick*",
            "*libQt6VirtualKeyboard*",
            "*libQt6Designer*",
            "*libQt6Sql*",
            "*libQt6Pdf*",
            "*libQt6OpenGL*",
            "PySide6/Qt/qml/*",
            "*plugins/platforminputcontexts/*virtualkeyboard*",
            "*plugins/sqldrivers/*",
            "*plugins/qmltooling/*",
            "*plugins/imageformats/*qpdf*",
            "*plugins/imageformats/*qtiff*",
            "*plugins/imageformats/*qwebp*",
            "*plugins/imageformats/*qtga*",
            "*plugins/imageformats/*qwbmp*",
            "*plugins/imageformats/*qicns*",
            "*plugins/platforms/*qeglfs*",
            "*plugins/platforms/*qlinuxfb*",
            "*plugins/platforms/*qvnc*",
            "*plugins/platforms/*qminimalegl*",
            "*plugins/platforms/*qvkkhrdisplay*",
            "*plugins/egldeviceintegrations/*",
            "*plugins/tls/*",
            "*plugins/platformthemes/*gtk3*",
            "*plugins/xcbglintegrations/*",
            "*plugins/wayland-graphics-integration-client/*",
            "*plugins/generic/*",
            "*libQt6EglF*",
            "*plugins/networkinformation/*",
        ),
    ),
    Exclusion(
        "Qt's translations",
        "the window speaks English, and Qt's own dialogs with it",
        files=("PySide6/Qt/translations/*", "PySide6/translations/*"),
    ),
)

KEPT_MODELS = frozenset({"auto", "clap", "roberta"})
"""Of transformers' four hundred models: CLAP's two towers, and what is named where they are imported."""

LIGHT = ("torch", "transformers", "scipy", "huggingface_hub", "tokenizers", "sympy")
"""What only the render process and the command line load; of the engine the tray app has the reader of sound files."""


def excluded_modules() -> list[str]:
    """List every module that no program has."""
    return [module for row in EXCLUSIONS for module in row.modules]


def excluded_models(transformers: Path) -> list[str]:
    """List transformers' models that nothing imports, by the contents of its folder."""
    names = sorted(path.name for path in (transformers / "models").iterdir() if (path / "__init__.py").is_file())
    return [f"transformers.models.{name}" for name in names if name not in KEPT_MODELS]


def is_left_out(place: str) -> bool:
    """Whether a row names the file at this place in the bundle."""
    place = place.replace("\\", "/")
    return any(is_named(place, row) for row in EXCLUSIONS)


def is_named(place: str, row: Exclusion) -> bool:
    """Whether this row names the file at this place."""
    return _match(place, row.files) and not _match(place, row.but)


def _match(place: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(place, pattern) for pattern in patterns)
