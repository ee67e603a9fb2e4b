"""Makes the pictures of docs/images/ again: `python -m tests.pictures`, or with `window` or `ardour` only these.

It needs Xvfb, openbox, trayer, xdotool and ImageMagick, Ardour 7 for its picture, and a few minutes. Look at the result
before you commit it.
"""

import sys
import tempfile
from pathlib import Path

from tests.pictures import ardour, window

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def main(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, take in (("window", window.take_pictures), ("ardour", ardour.take_picture)):
            if not wanted or name in wanted:
                (Path(folder) / name).mkdir()
                take(Path(folder) / name, IMAGES)


if __name__ == "__main__":
    main(sys.argv[1:])
