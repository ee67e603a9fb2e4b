"""`retake models`: what is installed."""

import argparse
from typing import Any

from engine.checkpoints.catalogue import CARD_FILE, ModelEntry, find_model, list_models, read_json
from engine.cli.terminal import show_json


def run(options: argparse.Namespace) -> int:
    return _show(options) if options.action == "show" else _list(options)


def _list(options: argparse.Namespace) -> int:
    entries = list_models()
    if options.json:
        show_json({"models": [_described(entry) for entry in entries]})
        return 0
    for entry in entries:
        origin = "shipped" if entry.shipped else str(entry.folder)
        print(f"{entry.name:<20} {entry.size_bytes / 1e6:>8.1f} MB   {entry.licence:<18} {origin}")
    return 0


def _show(options: argparse.Namespace) -> int:
    folder = find_model(options.name)
    config = read_json(folder)
    card = folder / CARD_FILE
    if options.json:
        show_json({"folder": str(folder), "config": config})
        return 0
    facts = [
        ("name", config["name"]),
        ("folder", folder),
        ("licence", config["licence"]),
        ("sample rate", f"{config['mel']['sample_rate']} Hz"),
        ("steps", config["default_steps"]),
        ("guidance", config["default_guidance"]),
        ("sounds", ", ".join(config["sounds"]) or "any"),
        ("model card", card if card.exists() else "none"),
    ]
    for name, value in facts:
        print(f"{name:<12} {value}")
    return 0


def _described(entry: ModelEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "folder": str(entry.folder),
        "size_bytes": entry.size_bytes,
        "licence": entry.licence,
        "shipped": entry.shipped,
    }
