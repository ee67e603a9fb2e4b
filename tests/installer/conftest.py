"""Lets the tests of the packages name `installer`, which is part of the checkout and of nothing that is installed."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
