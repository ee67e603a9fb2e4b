"""Stable Audio 3 (Stability AI 2026, arXiv 2605.17991): a flow-matching transformer over stereo latents at 44.1 kHz."""
