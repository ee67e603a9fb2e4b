"""What of librosa goes into the bundle: the filters that laion-clap's spectrogram is made with, and what they need."""

from PyInstaller.utils.hooks import collect_data_files

datas = collect_data_files("librosa", excludes=["**/__pycache__"])
hiddenimports = ["librosa.filters", "librosa.util"]
hiddenimports += [f"librosa.util.{name}" for name in ("deprecation", "example_data", "exceptions", "files", "utils")]
hiddenimports += [f"librosa.core.{name}" for name in ("convert", "intervals", "notation")]
