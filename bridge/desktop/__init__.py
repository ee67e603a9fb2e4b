"""The tray app: an OSC client of the daemon like any other, with a window. No other room of the house knows Qt."""
