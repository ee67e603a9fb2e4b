"""Programs that ask the daemon: `retake-send`, `retake jobs`, `retake status`, `retake live`."""
