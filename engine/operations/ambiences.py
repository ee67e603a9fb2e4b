"""Ambiences, which are all around, and events, which have a place and a moment: what a prompt asks for.

Shape letters: K kinds, D embedding.
"""

from weakref import WeakKeyDictionary

from torch import Tensor

from engine.audioldm import AudioLDM

# Correlation of left and right as pairs of microphones hear it: low where countless sources are all around, high where
# one big source fills the room.
AMBIENCES = {
    "rain": 0.2, "applause": 0.2, "wind": 0.3, "ocean": 0.3, "stream": 0.3, "crowd": 0.25, "birds": 0.3,
    "crickets": 0.3, "traffic": 0.35, "fire": 0.4, "bees": 0.4, "frog": 0.4, "drops": 0.4, "bubbles": 0.5,
    "laughter": 0.5, "thunder": 0.5, "airplane": 0.5, "drone": 0.5, "magic": 0.5, "riser": 0.6, "train": 0.6,
    "radio static": 0.6, "explosion": 0.6, "splash": 0.6, "whoosh": 0.6, "helicopter": 0.7, "fan": 0.7,
    "washing machine": 0.8, "vacuum": 0.8, "engine": 0.8,
}  # fmt: skip
EVENTS = (
    "dog", "cat", "cow", "sheep", "horse", "rooster", "owl", "wolf", "crow", "duck", "chicken", "cuckoo", "pig", "lion",
    "mosquito", "knock", "footsteps", "door slam", "door creak", "glass", "gunshot", "hammer", "hand saw", "drill",
    "chainsaw", "sword", "coin", "click", "typing", "clock", "phone", "alarm", "siren", "car horn", "train horn",
    "motorcycle", "laser", "notification", "power up", "bell", "church bell", "kick", "snare", "hihat", "tom", "cymbal",
    "shaker", "piano", "guitar", "flute", "violin", "trumpet", "singing", "speech", "cough", "heartbeat", "paper",
    "cloth", "zip", "rope", "lock", "scissors", "robot", "glitch", "seagull", "wood impact", "metal impact", "door",
    "ui success", "ui error",
)  # fmt: skip
_KINDS = (*AMBIENCES, *EVENTS)
_embedded: WeakKeyDictionary[AudioLDM, Tensor] = WeakKeyDictionary()


def natural_correlation(model: AudioLDM, wanted: Tensor) -> float | None:
    """Return the correlation of left and right of the kind that is nearest to wanted [1, D]; None for an event."""
    nearest = int((_embedded_kinds(model).to(wanted.device) @ wanted[0].float()).argmax())
    return AMBIENCES.get(_KINDS[nearest])


def _embedded_kinds(model: AudioLDM) -> Tensor:
    """All kinds as the model understands their names, [K, D]: once for each model, since they are a hundred."""
    if model not in _embedded:
        _embedded[model] = model.embed_text(_KINDS).float()
    return _embedded[model]
