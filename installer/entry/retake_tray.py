"""The frozen tray app: `retake tray` without a terminal."""

import sys

from bridge.__main__ import main

raise SystemExit(main(["tray", *sys.argv[1:]]))
