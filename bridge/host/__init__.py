"""This computer: settings, folders that may be read and written, where the daemon is, logs, and our own programs."""
