"""What of PyTorch goes into the bundle: what is imported, and its libraries; no tests, headers or tools.

PyInstaller's own hook takes every module, and each a second time as source.
"""

from pathlib import Path

from PyInstaller.utils.hooks import PY_DYLIB_PATTERNS, collect_data_files, collect_dynamic_libs, get_package_paths

from installer.exclusions import is_left_out

binaries = [
    (source, target)
    for source, target in collect_dynamic_libs("torch", search_patterns=[*PY_DYLIB_PATTERNS, "*.so.*"])
    if not is_left_out(f"{target}/{source.replace(chr(92), '/').rsplit('/', 1)[-1]}")
]
datas = collect_data_files("torch", subdir="bin", includes=["torch_shm_manager"])
# imported by name when transformers first asks for a model
hiddenimports = [
    f"torch._dynamo.polyfills.{path.stem}"
    for path in Path(get_package_paths("torch")[1], "_dynamo", "polyfills").glob("[!_]*.py")
]
hiddenimports += ["torch.onnx.operators"]
module_collection_mode = "pyz+py"  # the table of exclusions then takes most sources out
bindepend_symlink_suppression = ["**/torch/lib/*.so*"]
warn_on_missing_hiddenimports = False
