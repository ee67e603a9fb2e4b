"""Long trials of the daemon, with figures: crash, fuzz, files, soak, faults. `python -m tests.campaigns NAME`."""
