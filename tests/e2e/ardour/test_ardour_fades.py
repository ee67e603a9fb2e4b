"""Fades in a real Ardour: a take sounds as its region did, at every sample of every kind of fade, and alone."""

import shutil

import numpy as np
import pytest

from tests.e2e.ardour.ardour_session import RATE, played, region_audio, saved_playlists, saved_regions
from tests.e2e.ardour.test_ardour import check_one_undo_step, clip_samples, only, wait_for_end

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FADE_IN, FADE_OUT = RATE // 4 + 1, RATE // 2 + 3
AROUND = 64
LARGEST_ERROR_DB = -80.0


@pytest.fixture(autouse=True)
def plain_again(studio):
    """Later tests find the clips as the session was made: with the fades that every region has, and unmuted."""
    yield
    set_fades(studio.ardour, ("Linear", 64), ("Linear", 64), gain=1)


def set_fades(ardour, fade_in, fade_out, gain, more=""):
    """Shape and length of each fade: the first is drawn at its length, the second is drawn short and stretched."""
    (shape_in, length_in), (shape_out, length_out) = fade_in, fade_out
    ardour.lua(
        "for route in Session:get_tracks():iter() do for it in route:to_track():playlist():region_list():iter() do "
        "if it:name() == 'footfalls' then local audio = it:to_audioregion() "
        f"audio:set_scale_amplitude({gain}) audio:set_fade_in_active(true) audio:set_fade_out_active(true) "
        f"audio:set_fade_in_length({length_in}) audio:set_fade_in_shape(ARDOUR.FadeShape.Fade{shape_in}) "
        f"audio:set_fade_out_shape(ARDOUR.FadeShape.Fade{shape_out}) audio:set_fade_out_length({length_out}) "
        f"{more} end end end"
    )


def heard(studio, region, folder):
    """Save, and read what Ardour plays where a region lies: [T, C]."""
    studio.ardour.save()
    copy = shutil.copytree(studio.session.parent, folder / studio.session.stem)
    return played(copy / studio.session.name, region, AROUND, studio.environment).astype(np.float64)


def footfalls(studio):
    studio.ardour.save()
    return only(saved_regions(studio.session), "footfalls")


def error_db(source, before, after, take):
    """How far a take is from sounding as its region did, which made `before` of its own samples, `source`."""
    made = region_audio(take)
    expected = before[AROUND:-AROUND] * made
    difference = after[AROUND:-AROUND] * source - expected
    assert not after[:AROUND].any()
    assert not after[-AROUND:].any()
    return 10 * np.log10(np.mean(difference**2) / np.mean(expected**2) + 1e-12)


def restyle(studio, prompt, count, candidates=1):
    studio.ardour.select_regions("footfalls")
    studio.restyle(prompt, candidates=candidates)
    return wait_for_end(studio.ardour, count)


@pytest.mark.parametrize(
    ("fade_in", "fade_out", "more"),
    [
        ("Linear", "Slow", ""),
        ("Slow", "Fast", ""),
        ("Fast", "ConstantPower", ""),
        ("ConstantPower", "Symmetric", ""),
        ("Symmetric", "Linear", "audio:set_fade_out_active(false)"),
    ],
)
def test_a_take_fades_as_its_region_does(studio, tmp_path, fade_in, fade_out, more):
    set_fades(studio.ardour, (fade_in, FADE_IN), (fade_out, FADE_OUT), 0.5, more)
    rows = studio.ardour.regions()
    before = heard(studio, footfalls(studio), tmp_path / "before")
    after_rows = restyle(studio, "heavy rain", 3)
    take = next(it for it in saved(studio) if it.name.startswith("heavy rain"))
    after = heard(studio, take, tmp_path / "after")

    assert error_db(clip_samples(studio.clips["footfalls"]), before, after, take) < LARGEST_ERROR_DB
    assert footfalls(studio).is_muted
    check_one_undo_step(studio, rows, after_rows, "Retake: Restyle selected regions")
    studio.ardour.undo()
    assert not footfalls(studio).is_muted
    assert np.array_equal(heard(studio, footfalls(studio), tmp_path / "undone"), before)


def saved(studio):
    studio.ardour.save()
    return saved_regions(studio.session)


def test_no_other_take_is_heard_through_the_fades(studio, tmp_path):
    set_fades(studio.ardour, ("Linear", FADE_IN), ("Linear", FADE_OUT), 0.5)
    before = heard(studio, footfalls(studio), tmp_path / "before")
    restyle(studio, "heavy rain", 4, candidates=2)
    studio.act("again")
    wait_for_end(studio.ardour, 6)
    take = only(saved(studio), "heavy rain (restyle 50 %, seed 2)")
    after = heard(studio, take, tmp_path / "after")

    assert error_db(clip_samples(studio.clips["footfalls"]), before, after, take) < LARGEST_ERROR_DB
    regions = [it for it in saved_regions(studio.session) if it.track == take.track]
    assert len(regions) == 5
    assert [it.name for it in regions if not it.is_muted] == [take.name]

    studio.ardour.select_regions(take.name)  # a take is a region like any other
    studio.restyle("thunder")
    wait_for_end(studio.ardour, 7)
    next_take = only(saved(studio), "thunder (restyle 50 %, seed 1)")
    next_after = heard(studio, next_take, tmp_path / "next")
    assert error_db(region_audio(take), after, next_after, next_take) < LARGEST_ERROR_DB


def test_on_a_new_playlist_only_the_copy_is_muted(studio, tmp_path):
    ardour = studio.ardour
    old = ardour.lua("return Session:route_by_name('Audio 1'):to_track():playlist():name()")
    set_fades(ardour, ("Linear", FADE_IN), ("Linear", FADE_OUT), 0.5)
    before = heard(studio, footfalls(studio), tmp_path / "before")
    studio.remember("restyle", place="on a new playlist")
    restyle(studio, "thunder", 3)
    take = only(saved(studio), "thunder (restyle 50 %, seed 1)")
    after = heard(studio, take, tmp_path / "after")
    is_muted = {it.name: it.is_muted for it in saved_regions(studio.session) if it.track == take.track}
    ardour.undo()
    studio.remember("restyle", place="as a layer on top")
    ardour.lua(
        "Session:route_by_name('Audio 1'):to_track():use_playlist(ARDOUR.DataType('audio'), "
        f"Session:playlists():by_name({old!r}), true)"
    )

    assert error_db(clip_samples(studio.clips["footfalls"]), before, after, take) < LARGEST_ERROR_DB
    assert sorted(is_muted.values()) == [False, True]
    assert not is_muted[take.name]
    assert saved_playlists(studio.session)[old] == ["footfalls"]
    assert np.array_equal(heard(studio, footfalls(studio), tmp_path / "old"), before)
    assert not list(studio.session.parent.glob("*.pending"))
