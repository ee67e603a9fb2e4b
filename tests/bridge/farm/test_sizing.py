"""The simulation of a farm: it agrees with what queueing theory knows, and answers for farms of any size."""

import json
import random

import pytest

from bridge.farm.sizing import Load, gpus_needed, main, simulate, sizes_around

ONE_SECOND = {"draft": [1.0], "normal": [1.0]}


def test_no_artist_waits_where_there_is_a_gpu_for_each():
    assert simulate(Load(10), ONE_SECOND, 10, 5_000, 1).p99_s == 0.0


def test_agrees_with_the_formula_for_one_server():
    """M/M/1 at 70 % load: P(wait > t) = 0.7 exp(-0.3 t / s), so 95 % wait less than s ln(0.7 / 0.05) / 0.3."""
    dice = random.Random(3)
    service = [dice.expovariate(1.0) for _ in range(20_000)]
    mean_s = sum(service) / len(service)
    load = Load(1, jobs_per_hour=0.7 * 3600 / mean_s, drafts=0.0)
    waits = simulate(load, {"draft": [1.0], "normal": service}, 1, 200_000, 1)

    assert waits.p95_s == pytest.approx(8.8 * mean_s, rel=0.1)
    assert waits.busy == pytest.approx(0.7, rel=0.05)


def test_lets_drafts_wait_less_than_jobs_without_ranks_would():
    load = Load(300, drafts=0.95)
    ranked = simulate(load, {"draft": [0.1], "normal": [20.0]}, 4, 20_000, 1)
    unranked = simulate(Load(300, drafts=0.0), {"draft": [0.1], "normal": [0.1] * 19 + [20.0]}, 4, 20_000, 1)

    assert ranked.p50_s <= unranked.p50_s


def test_finds_the_smallest_farm_that_is_large_enough():
    load = Load(500)
    gpus, waits = gpus_needed(load, ONE_SECOND, 1.0, 10_000, 1)

    assert waits.p95_s <= 1.0 < simulate(load, ONE_SECOND, gpus - 1, 10_000, 1).p95_s


def test_is_the_same_for_the_same_seed():
    assert simulate(Load(50), ONE_SECOND, 1, 1_000, 7) == simulate(Load(50), ONE_SECOND, 1, 1_000, 7)


def test_prints_a_row_for_each_number_of_artists(tmp_path, capsys):
    times = tmp_path / "times.json"
    times.write_text(json.dumps(ONE_SECOND))

    assert main([str(times), "--artists", "5", "50", "--jobs", "2000"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[-2:]] == ["5", "50"]


def test_draws_farms_that_are_larger_and_smaller(tmp_path):
    times, picture = tmp_path / "times.json", tmp_path / "sizes.png"
    times.write_text(json.dumps(ONE_SECOND))

    assert main([str(times), "--artists", "50", "500", "--jobs", "2000", "--picture", str(picture)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert 5_000 < picture.stat().st_size < 100_000


def test_larger_farms_make_no_artist_wait_longer():
    load = Load(500)
    gpus, waits = gpus_needed(load, ONE_SECOND, 1.0, 10_000, 1)
    around = sizes_around(load, ONE_SECOND, gpus, 10_000, 1)

    assert around[gpus] == waits
    assert min(around) <= gpus < max(around)
    p95 = [one.p95_s for one in around.values()]
    assert p95 == sorted(p95, reverse=True)


@pytest.mark.parametrize("text", ["", "{}", '{"draft": [], "normal": [1]}', '{"draft": [0], "normal": [1]}'])
def test_refuses_times_that_are_none(tmp_path, capsys, text):
    times = tmp_path / "times.json"
    times.write_text(text)

    assert main([str(times)]) == 1
    assert "--measure" in capsys.readouterr().err
