"""The collector in a real Ardour: the musician goes on working, and takes come by themselves."""

import pytest

from tests.e2e.ardour.ardour_host import wait_for
from tests.e2e.ardour.ardour_session import saved_regions
from tests.e2e.ardour.test_ardour import check_one_undo_step, check_place, only

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WITH_COLLECTOR = True


def restyle_and_go_on(studio, prompt):
    studio.ardour.select_regions("footfalls")
    studio.restyle(prompt, candidates=2)
    wait_for(studio.pending.exists, "the job is sent")
    wait_for(lambda: not studio.ardour.is_open("Retake"), "the window has handed over")


def wait_for_takes(ardour):
    return wait_for(lambda: (rows := ardour.regions()) and len(rows) == 4 and rows, "2 takes")


def test_takes_come_while_ardour_is_free(studio):
    ardour = studio.ardour
    before = ardour.regions()
    with studio.busy_daemon():
        restyle_and_go_on(studio, "heavy rain")
        assert ardour.regions() == before
    after = wait_for_takes(ardour)

    check_one_undo_step(studio, before, after, "Retake: Restyle selected regions")


def test_takes_go_where_their_region_was_moved_meanwhile(studio):
    ardour = studio.ardour
    with studio.busy_daemon():
        restyle_and_go_on(studio, "wind")
        ardour.lua(
            "Session:begin_reversible_command('move') for route in Session:get_tracks():iter() do "
            "for it in route:to_track():playlist():region_list():iter() do if it:name() == 'footfalls' then "
            "it:to_stateful():clear_changes() it:set_position(Temporal.timepos_t(48000)) "
            "Session:add_stateful_diff_command(it:to_statefuldestructible()) end end end "
            "Session:commit_reversible_command(nil)"
        )
    wait_for_takes(ardour)

    ardour.save()
    regions = saved_regions(studio.session)
    original = only(regions, "footfalls")
    assert original.position == 48_000
    for number in ("", " #2"):
        check_place(only(regions, f"wind (restyle 50 %, seed 1){number}"), original)


def test_cancel_takes_the_jobs_back_that_nobody_watches(studio):
    before = studio.ardour.regions()
    with studio.busy_daemon():
        restyle_and_go_on(studio, "applause")
        studio.act("cancel")
        wait_for(lambda: not studio.pending.exists(), "nothing is pending")

    assert studio.ardour.regions() == before
    assert not list(studio.takes.glob("*applause*"))
