"""Nothing: what the bundle has under this name is the stand-in."""
