"""The dialog before a download: every licence that holds for the model, what it means, and where it can be read."""

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from bridge.desktop.pages.models import LicenceDialog
from bridge.desktop.state.model_list import LICENCES, Model
from engine.checkpoints.published import LICENCE
from engine.checkpoints.stable_audio_offers import LICENCES as BOTH

STABLE_AUDIO = " and ".join(licence.name for licence in BOTH)


@pytest.mark.usefixtures("qt")
@pytest.mark.parametrize(("licence", "count"), [(LICENCE, 1), (STABLE_AUDIO, 2)], ids=["one", "two"])
def test_shows_every_licence_and_where_it_can_be_read(licence: str, count: int) -> None:
    model = Model("a model", 3_400_000_000, licence)
    parent = QWidget()
    dialog = LicenceDialog(model, parent)

    words = " ".join(it.text() for it in dialog.findChildren(QLabel))
    readers = [it for it in dialog.findChildren(QPushButton) if it.text() == "Read the licence"]
    assert licence in words
    assert [name for name in model.licences if LICENCES[name][1] in words] == model.licences
    assert [it.toolTip() for it in readers] == model.licences
    assert len(readers) == count


def test_the_addresses_are_those_of_the_command_line() -> None:
    assert {licence.name: licence.url for licence in BOTH} == {
        licence.name: LICENCES[licence.name][0] for licence in BOTH
    }
