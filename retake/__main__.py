"""`python -m retake`: the same as the command `retake`."""

from bridge.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main())
