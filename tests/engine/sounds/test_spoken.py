"""Which attributes a caption speaks of: what the generator was given to say must be found, and nothing else."""

import pytest

from engine.sounds import SOUNDS, captions, render
from engine.sounds.captions import SYNONYMS
from engine.sounds.spoken import spoken_attributes

EVERY_VALUE = [(kind, value) for kind, values in SYNONYMS.items() for value in values]


@pytest.mark.parametrize(("kind", "value"), EVERY_VALUE, ids=[" ".join(pair) for pair in EVERY_VALUE])
def test_every_word_of_the_table_is_understood(kind: str, value: str) -> None:
    synonyms = SYNONYMS[kind][value]

    for phrase in (*synonyms.adjectives, *synonyms.adverbs, *synonyms.endings):
        assert spoken_attributes(f"a clip of thunder, {phrase}", {kind: value, "colour": "red"}) == {kind: value}


def test_captions_without_attributes_speak_of_none() -> None:
    """The attributes of a clip, looked for in captions that were not told of them: chance meetings are rare."""
    met = total = 0
    for index, name in enumerate(SOUNDS):
        attributes = render(name, index, 0.5).attributes
        for caption in captions(name, {}, index, 20, held_out=True):
            met += len(spoken_attributes(caption, attributes))
            total += len(attributes)

    assert met / total < 0.02


def test_captions_speak_of_about_half_of_the_attributes() -> None:
    shares = []
    for index, name in enumerate(SOUNDS):
        attributes = render(name, index, 0.5).attributes
        shares += [
            len(spoken_attributes(caption, attributes)) / len(attributes)
            for caption in captions(name, attributes, index, 20)
            if attributes
        ]

    assert 0.35 < sum(shares) / len(shares) < 0.8


@pytest.mark.parametrize(
    ("caption", "attributes", "spoken"),
    [
        pytest.param(
            "thunder with echo in a big room", {"size": "huge", "space": "hall"}, {"space": "hall"}, id="a room"
        ),
        pytest.param("a low-pitched dog", {"pitch": "low", "level": "loud"}, {"pitch": "low"}, id="one of two"),
        pytest.param("a slow dog", {"speed": "fast"}, {}, id="the opposite"),
        pytest.param("breakfast", {"speed": "fast"}, {}, id="part of a word"),
        pytest.param(
            "Two barks, LOUD.", {"count": "twice", "level": "loud"}, {"count": "twice", "level": "loud"}, id="two"
        ),
        pytest.param("two barks", {"count": "once"}, {}, id="another number"),
        pytest.param("", {"speed": "fast"}, {}, id="nothing said"),
    ],
)
def test_examples(caption: str, attributes: dict[str, str], spoken: dict[str, str]) -> None:
    assert spoken_attributes(caption, attributes) == spoken
