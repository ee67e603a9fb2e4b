"""The frozen `retake`."""

import sys

from bridge.__main__ import main

if len(sys.argv) > 1 and sys.argv[1] in ("--multiprocessing-fork", "-B", "-I", "-S", "-E", "-s", "-c"):
    import multiprocessing  # a child of ours, which Python starts with words of its own

    multiprocessing.freeze_support()

raise SystemExit(main())
