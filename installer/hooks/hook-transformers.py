"""What of transformers goes into the bundle: the models that CLAP names, and the versions that it asks for at start.

Its lazy imports read the folder of models on the disk, so these come as source, too.
"""

from PyInstaller.utils.hooks import copy_metadata

_ASKED_FOR = ("filelock", "huggingface-hub", "numpy", "packaging", "pyyaml", "regex", "safetensors", "tokenizers")

datas = [entry for name in (*_ASKED_FOR, "torch", "tqdm", "transformers") for entry in copy_metadata(name)]
module_collection_mode = "pyz+py"
