"""Retake for Ableton Live 11 and 12, as a control surface: it restyles the clip in view on command."""

from __future__ import annotations

from typing import Any

from .surface import RetakeSurface


def create_instance(c_instance: Any) -> RetakeSurface:
    """Return the surface; Live calls this when the musician chooses Retake in its settings."""
    return RetakeSurface(c_instance)
