"""`retake models`: list, pull, import and remove models."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.checkpoints import feature_extractors, published, stable_audio_offers
from engine.checkpoints.catalogue import (
    CARD_FILE,
    ModelEntry,
    find_model,
    find_own,
    look_through,
    read_json,
    remove_model,
)
from engine.checkpoints.download_errors import LicenceError, NotConfirmedError, NotPublishedError
from engine.checkpoints.stable_audio_folders import SoundShape, holds_stable_audio
from engine.cli.commands import load
from engine.cli.terminal import TerminalProgressBar, confirmed, interruptible, show_json, show_warning


@dataclass(frozen=True)
class Offers:
    """What there is to pull: checkpoints, and nets that only listen."""

    checkpoints: Sequence[published.Published] = published.PUBLISHED
    extractors: Sequence[feature_extractors.PublishedExtractor] = feature_extractors.EXTRACTORS
    stable_audio: Sequence[stable_audio_offers.PublishedStableAudio] = stable_audio_offers.STABLE_AUDIO

    @property
    def models(self) -> "list[Offer]":
        return [*self.checkpoints, *self.stable_audio]


Offer = published.Published | stable_audio_offers.PublishedStableAudio


def run(options: argparse.Namespace, offers: Offers | None = None) -> int:
    """Carry out `retake models …`; the exit code."""
    actions = {"list": _list, "show": _show, "pull": _pull, "import": _import, "remove": _remove}
    return actions[options.action](options, offers or Offers())


def _list(options: argparse.Namespace, known: Offers) -> int:
    entries, passed_over = look_through()
    for broken in passed_over:
        show_warning(f"passed over {broken.folder}: {broken.reason}")
    installed = {entry.name for entry in entries}
    if options.json:
        offers = [_offered(offer, offer.name in installed) for offer in known.models]
        broken_ones = [{"folder": str(broken.folder), "reason": broken.reason} for broken in passed_over]
        show_json({"models": [_described(entry) for entry in entries], "published": offers, "passed_over": broken_ones})
        return 0
    for entry in entries:
        origin = "shipped" if entry.shipped else f"installed in {entry.folder}"
        print(_row(entry.name, entry.size_bytes, entry.sounds, entry.licence, origin))
    for offer in known.models:
        if offer.name not in installed:
            licence = " and ".join(licence.name for licence in _licences_of(offer))
            print(_row(offer.name, offer.about_bytes, _sounds_of(offer), licence, f"to pull: {offer.good_at}"))
    return 0


def _row(name: str, num_bytes: int, sounds: SoundShape | None, licence: str, text: str) -> str:
    return f"{name:<29} {num_bytes / 1e6:>8.1f} MB   {_in_words(sounds):<30} {licence:<18} {text}"


def _in_words(sounds: SoundShape | None) -> str:
    if sounds is None:
        return ""
    channels = "mono" if sounds.channels == 1 else "stereo"
    return f"{sounds.sample_rate / 1000:g} kHz {channels}, {sounds.at_once_s:g} s at once"


def _sounds_of(offer: Offer) -> SoundShape:
    if isinstance(offer, published.Published):
        return SoundShape(published.SAMPLE_RATE, published.CHANNELS, published.AT_ONCE_S)
    return SoundShape(offer.sample_rate, offer.channels, offer.at_once_s)


def _licences_of(offer: Offer) -> Sequence[stable_audio_offers.Licence]:
    if isinstance(offer, published.Published):
        means = published.LICENCE_MEANS
        return (stable_audio_offers.Licence(published.LICENCE, published.LICENCE_URL, means),)
    return stable_audio_offers.LICENCES


def _show(options: argparse.Namespace, _known: Offers) -> int:
    folder = find_model(options.name)
    if holds_stable_audio(folder):
        return _show_stereo(folder, options)
    config = read_json(folder)
    card = folder / CARD_FILE
    if options.json:
        show_json({"folder": str(folder), "config": config})
        return 0
    whole = load("engine.checkpoints.store:read_config")(folder)  # or a sentence that it cannot be used
    facts = [
        ("name", whole.name),
        ("folder", folder),
        ("licence", whole.licence),
        ("source", whole.source or "Retake"),
        ("sample rate", f"{whole.mel.sample_rate} Hz"),
        ("steps", whole.default_steps),
        ("guidance", whole.default_guidance),
        ("sounds", ", ".join(whole.sounds) or "any"),
        ("model card", card if card.exists() else "none"),
    ]
    for name, value in facts:
        print(f"{name:<12} {value}")
    return 0


def _show_stereo(folder: Path, options: argparse.Namespace) -> int:
    """A Stable Audio 3, in its authors' or diffusers' form."""
    config = load("engine.checkpoints.stable_audio:read_stable_audio_config")(folder)
    facts: dict[str, Any] = {
        "name": config.name,
        "folder": str(folder),
        "licence": config.licence,
        "sample rate": f"{config.same.sampling_rate} Hz",
        "channels": config.same.audio_channels,
        "longest": f"{config.longest_s:g} s at once",
        "steps": config.default_steps,
        "guidance": config.default_guidance,
    }
    if options.json:
        show_json(facts)
        return 0
    for name, value in facts.items():
        print(f"{name:<12} {value}")
    return 0


def _pull_extractor(extractor: feature_extractors.PublishedExtractor, options: argparse.Namespace) -> int:
    """A feature extractor: free to use, so there is no licence to accept."""
    with TerminalProgressBar() as bar:
        folder = feature_extractors.pull_extractor(extractor, on_progress=bar.show)
    if options.json:
        show_json({"name": extractor.name, "folder": str(folder), "licence": extractor.licence})
    else:
        print(folder)
    return 0


def _pull(options: argparse.Namespace, known: Offers) -> int:
    extractor = feature_extractors.find_extractor(options.name, known.extractors)
    if extractor:
        return _pull_extractor(extractor, options)
    offer = _find_offer(options.name, known)
    published.refuse_offline()
    if not options.accept_licence:
        _ask_for_licences(offer)
    with TerminalProgressBar(as_json=options.json) as bar:
        folder = _pulled(offer, options, bar.show)
    if options.json:
        show_json({"name": offer.name, "folder": str(folder)})
    else:
        print(folder)
    return 0


def _find_offer(name: str, known: Offers) -> Offer:
    """Raises NotPublishedError with all names that there are."""
    offers: dict[str, Offer] = {offer.name: offer for offer in known.models}
    wanted = stable_audio_offers.stable_audio_as(name, known.stable_audio) or name
    if wanted not in offers:
        raise NotPublishedError(name, list(offers))
    return offers[wanted]


def _ask_for_licences(offer: Offer) -> None:
    """Show every licence, and ask for all of them. Raises LicenceError unless the user accepts."""
    licences = _licences_of(offer)
    print(f"{offer.name}: {offer.good_at}; about {offer.about_bytes / 1e9:.1f} GB to download", file=sys.stderr)
    for licence in licences:
        print(f"licence: {licence.name}, {licence.url}\n  {licence.means}", file=sys.stderr)
    if not confirmed("Do you accept this licence?" if len(licences) == 1 else "Do you accept these licences?"):
        raise LicenceError(offer.name, " and ".join(licence.name for licence in licences))


def _pulled(offer: Offer, options: argparse.Namespace, on_progress: Callable[[float, str], None]) -> Path:
    if isinstance(offer, published.Published):
        pull = load("engine.checkpoints.download:pull", "this download")  # and with it PyTorch
        more = {"form": options.form, "keep_download": options.keep_download}
    else:
        pull, more = load("engine.checkpoints.gated_download:pull_stable_audio", "this download"), {}
    folder: Path = pull(offer, revision=options.revision, on_progress=on_progress, **more)
    return folder


def _import(options: argparse.Namespace, _known: Offers) -> int:
    convert = load("engine.checkpoints.convert:import_checkpoint", "this import")  # and with it PyTorch
    with interruptible() as should_stop, TerminalProgressBar() as bar:
        folder = convert(
            options.path,
            options.name,
            clap=options.clap,
            tokenizer=options.tokenizer,
            heads=options.heads,
            on_progress=bar.show,
            should_stop=should_stop,
        )
    limits = load("engine.checkpoints.card:limits_of")(load("engine.checkpoints.store:read_config")(folder))
    for sentence in limits:
        show_warning(sentence)
    if options.json:
        show_json({"name": folder.name, "folder": str(folder), "warnings": limits})
    else:
        print(folder)
    return 0


def _remove(options: argparse.Namespace, known: Offers) -> int:
    extractor = feature_extractors.find_extractor(options.name, known.extractors)
    files = feature_extractors.installed_files(extractor) if extractor else []
    files = files or [file for folder in find_own(options.name) for file in folder.rglob("*") if file.is_file()]
    num_bytes = sum(file.stat().st_size for file in files)
    if not options.yes and not confirmed(f"Delete {options.name} ({num_bytes / 1e6:.1f} MB)?"):
        raise NotConfirmedError(options.name)
    if extractor:
        feature_extractors.remove_extractor(extractor)
    else:
        remove_model(options.name)
    if options.json:
        show_json({"removed": options.name, "freed_bytes": num_bytes})
    else:
        print(f"removed {options.name}, {num_bytes / 1e6:.1f} MB are free again")
    return 0


def _offered(offer: Offer, installed: bool) -> dict[str, Any]:
    forms = offer.forms if isinstance(offer, published.Published) else ("original",)
    licence = " and ".join(licence.name for licence in _licences_of(offer))
    return {
        "name": offer.name,
        "about_bytes": offer.about_bytes,
        "licence": licence,
        "forms": forms,
        "good_at": offer.good_at,
        "installed": installed,
        **asdict(_sounds_of(offer)),
    }


def _described(entry: ModelEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "folder": str(entry.folder),
        "size_bytes": entry.size_bytes,
        "licence": entry.licence,
        "shipped": entry.shipped,
        **(asdict(entry.sounds) if entry.sounds else {}),
    }
