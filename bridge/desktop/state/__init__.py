"""What the window knows and does, apart from how it looks: jobs, the daemon, settings, background tasks."""
