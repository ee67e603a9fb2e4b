"""The operations' table, as `engine/requests/` wrote it for everyone who must not wait for pydantic or the engine."""

import json
from pathlib import Path
from typing import Any

_TABLE = json.loads((Path(__file__).parents[2] / "daw_scripts" / "shared" / "operations.json").read_text("utf-8"))

OPERATIONS: dict[str, dict[str, Any]] = _TABLE["operations"]
JOB_FIELDS: dict[str, dict[str, Any]] = _TABLE["job"]["properties"]
