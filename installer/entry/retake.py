"""The frozen `retake`."""

import sys

from bridge.__main__ import main

if len(sys.argv) > 1 and sys.argv[1] in ("--multiprocessing-fork", "-B", "-I", "-S", "-E", "-s", "-c"):
    import multiprocessing  # a child of ours, which Python starts with words of its own

    multiprocessing.freeze_support()

if sys.argv[1:2] == ["tray"]:
    import subprocess  # Qt is in the other program only

    from bridge.host.program import own_command

    raise SystemExit(subprocess.call(own_command(*sys.argv[1:])))  # noqa: S603

raise SystemExit(main())
