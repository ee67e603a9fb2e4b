"""The one table of operations: what can be asked for, with every limit, default, label and help. No torch, no socket.

Each operation is a frozen pydantic dataclass; a field's annotation is its row. `python -m engine.requests` writes the
table to `daw_scripts/shared/operations.json`, which all others read: the daemon, its clients, the command line's help
and the scripts in the DAWs.
"""

from engine.requests.clip_checks import LONGEST_S
from engine.requests.operations import Generate, Inpaint, Request, Restyle, Upscale, Vary
from engine.requests.sampling import DRAFT_STEPS, LARGEST_SEED, Sampling

__all__ = [
    "DRAFT_STEPS",
    "LARGEST_SEED",
    "LONGEST_S",
    "Generate",
    "Inpaint",
    "Request",
    "Restyle",
    "Sampling",
    "Upscale",
    "Vary",
]
