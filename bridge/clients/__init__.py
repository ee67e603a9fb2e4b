"""Programs that talk to the daemon: `retake-send`, `retake jobs`, `retake status`, `retake live`."""
