"""What this machine computes on; PyTorch is asked in a child process, which may crash alone."""

from collections.abc import Iterator
from typing import Any

from bridge.diagnosis.checks.asking import ask
from bridge.diagnosis.checks.finding import Finding, ok, problem
from bridge.diagnosis.checks.settings_file import valid_settings
from bridge.diagnosis.checks.surroundings import Surroundings


def check_device(surroundings: Surroundings) -> Iterator[Finding]:
    answer = ask("devices", "--json")
    if answer.trouble:
        yield problem("device", answer.trouble, "reinstall PyTorch: `pip install --force-reinstall torch`")
        return
    devices: list[dict[str, Any]] = answer.facts["devices"]
    chosen, names = valid_settings(surroundings).device, [device["name"] for device in devices]
    wanted = names[0] if chosen == "auto" else chosen
    if wanted not in names and wanted.partition(":")[0] not in {name.partition(":")[0] for name in names}:
        yield problem(
            "device",
            f"the settings ask for the device {chosen}, but PyTorch finds {', '.join(names)} only",
            "set `device` to auto, or install a PyTorch for your card as pytorch.org says",
        )
        return
    best = next((device for device in devices if device["name"] == wanted), devices[0])
    yield ok("device", f"computes on {_described(best)}; PyTorch {answer.facts['torch']}")


def _described(device: dict[str, Any]) -> str:
    parts = (
        [device["name"]] if device["description"] == device["name"] else [f"{device['description']}, {device['name']}"]
    )
    if device.get("threads"):
        parts.append(f"{device['threads']} thread{'' if device['threads'] == 1 else 's'}")
    if device.get("memory_bytes"):
        free = f", {device['free_bytes'] / 1e9:.1f} GB of it free" if device.get("free_bytes") is not None else ""
        parts.append(f"{device['memory_bytes'] / 1e9:.1f} GB of memory{free}")
    return ", ".join(parts)
