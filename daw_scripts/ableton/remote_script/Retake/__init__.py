"""Retake for Ableton Live 11 and 12, as a control surface: restyles the clip in view when it is told to."""

from __future__ import annotations

from typing import Any

from .surface import RetakeSurface


def create_instance(c_instance: Any) -> RetakeSurface:
    """Give Live the surface; Live calls this when the musician chooses Retake in its settings."""
    return RetakeSurface(c_instance)
