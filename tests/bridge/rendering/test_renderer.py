"""Rendering: a request becomes files, or a sentence; with the tiny preset, in this process and in one of its own."""

import asyncio
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from bridge.host.program import own_command
from bridge.rendering.pipe import RenderSetup
from bridge.rendering.renderer import Renderer, engine_request, installed_models
from bridge.rendering.supervisor import RenderSupervisor
from bridge.rendering.watchdog import Timeouts
from bridge.wire.messages import (
    Done,
    Fail,
    Generate,
    Inpaint,
    ModelsReply,
    Notice,
    Progress,
    Restyle,
    StatusReply,
    Upscale,
    Vary,
)
from engine import Audio
from engine.cli import main as retake

QUICK = {"steps": 2, "seed": 5}


@pytest.fixture(scope="module")
def news():
    return []


@pytest.fixture(scope="module")
def renderer(news):
    """One warm model for all of these tests."""
    return Renderer(RenderSetup("tiny", "cpu"), news.append)


@pytest.fixture
def render(renderer, news):
    """Render a request and return all replies about it."""

    def render(request, should_stop=lambda _: False):
        news.clear()
        renderer.render(request, should_stop)
        return list(news)

    return render


@pytest.fixture
def clip(tmp_path):
    """One second of stereo, 24 bits, 22.05 kHz."""
    path = tmp_path / "clïp.wav"
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (22050, 2))
    soundfile.write(path, noise, 22050, subtype="PCM_24")
    return path


class TestTogether:
    @pytest.fixture
    def requests(self, tmp_path):
        keys = {"output_dir": str(tmp_path), "seconds": 0.4, **QUICK}
        return [Generate(job=job, prompt=job, **keys) for job in ("rain", "bell", "dog")]

    def test_each_request_has_its_own_files_and_its_own_end(self, renderer, news, render, requests, tmp_path):
        news.clear()
        renderer.render_together(requests, lambda _: False)
        ends = {reply.job: reply for reply in news if isinstance(reply, Done)}
        shared = {job: soundfile.read(end.paths[0])[0] for job, end in ends.items()}

        for request in requests:
            alone = render(replace(request, job=f"{request.job} alone", output_dir=str(tmp_path / "alone")))[-1]
            assert np.array_equal(soundfile.read(alone.paths[0])[0], shared[request.job])

    def test_one_that_is_cancelled_or_wrong_harms_no_other(self, renderer, news, requests, tmp_path):
        news.clear()
        wrong = replace(requests[2], like=str(tmp_path / "missing.wav"))
        renderer.render_together([*requests[:2], wrong], lambda request: request.job == "bell")
        ends = {reply.job: reply for reply in news if isinstance(reply, Done | Fail)}

        assert isinstance(ends["rain"], Done)
        assert (ends["bell"].code, ends["dog"].code) == ("cancelled", "file_missing")
        assert len(list(tmp_path.glob("*.wav"))) == 1

    def test_without_their_model_each_fails(self, renderer, news, requests):
        news.clear()
        renderer.render_together([replace(request, model="nobody's") for request in requests], lambda _: False)

        assert [reply.code for reply in news if isinstance(reply, Fail)] == ["model_missing"] * 3


class TestFiles:
    def test_lie_beside_the_clip_under_their_names(self, render, clip, read_json):
        done = render(Restyle(job="j", clip=str(clip), prompt="rain", **QUICK))[-1]

        path = clip.with_name("clïp restyle rain s5.wav")
        assert done == Done("/retake/restyle", "j", (str(path),))
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.frames, info.subtype) == (22050, 2, 22050, "PCM_24")
        assert read_json(path.with_suffix(".json"))["prompt"] == "rain"

    def test_are_as_many_as_candidates_and_best_first(self, render, clip, read_json):
        done = render(Restyle(job="j", clip=str(clip), prompt="rain", candidates=3, **QUICK))[-1]

        scores = [read_json(path.replace(".wav", ".json"))["score"] for path in done.paths]
        assert len(set(done.paths)) == 3
        assert scores == sorted(scores, reverse=True)

    def test_never_replace_an_earlier_take(self, render, clip):
        request = Restyle(job="j", clip=str(clip), prompt="rain", **QUICK)
        first = render(request)[-1].paths[0]
        before = soundfile.read(first, dtype="int32")[0]
        second = render(replace(request, job="k"))[-1].paths[0]

        assert second == first.replace(".wav", " (2).wav")
        assert np.array_equal(soundfile.read(first, dtype="int32")[0], before)

    def test_of_an_inpainted_clip_keep_every_sample_outside_the_regions(self, render, clip):
        request = Inpaint(job="j", clip=str(clip), prompt="rain", start_s=0.2, end_s=0.4, region=((0.6, 0.7),), **QUICK)
        (path,) = render(request)[-1].paths

        source, result = (soundfile.read(file, dtype="int32")[0] for file in (clip, path))
        changed = np.flatnonzero((source != result).any(axis=1)) / 22050
        assert changed.size
        assert all(0.15 <= second <= 0.45 or 0.55 <= second <= 0.75 for second in changed)

    def test_lie_in_the_music_folder_when_the_project_was_renamed_meanwhile(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv("XDG_MUSIC_DIR", str(tmp_path / "home" / "Music"))
        project = tmp_path / "project"
        project.mkdir()
        heard = []

        def rename(_):
            if project.exists():
                project.rename(tmp_path / "project 2")
            return False

        request = Generate(job="j", prompt="rain", seconds=0.5, output_dir=str(project), **QUICK)
        Renderer(RenderSetup("tiny", "cpu"), heard.append).render(request, rename)

        (done,) = (news for news in heard if isinstance(news, Done))
        assert done.paths == (str(tmp_path / "home" / "Music" / "Retake" / "generate rain s5.wav"),)
        (notice,) = (news.text for news in heard if isinstance(news, Notice))
        assert notice.startswith(f"the folder {project} is not there any more; the result is in {tmp_path}/home/Music")

    def test_of_generated_sounds_lie_where_they_are_wanted(self, render, tmp_path):
        request = Generate(job="j", prompt="rain", seconds=0.5, output_dir=str(tmp_path / "takes"), **QUICK)
        (path,) = render(request)[-1].paths

        assert path == str(tmp_path / "takes" / "generate rain s5.wav")
        assert soundfile.info(path).frames == 24_000


class TestSteering:
    """By words, by a clip that the take should be like, or by the clip's own sound."""

    def test_a_varied_clip_needs_no_words(self, render, clip, read_json):
        (path,) = render(Vary(job="j", clip=str(clip), strength=0.6, start_s=0.5, **QUICK))[-1].paths

        assert path == str(clip.with_name("clïp vary s5.wav"))
        before, after = (soundfile.read(file, dtype="int32")[0] for file in (clip, path))
        assert np.array_equal(before[:11025], after[:11025])
        assert (before[11025:] != after[11025:]).any()
        assert read_json(path.replace(".wav", ".json"))["strength"] == 0.6

    def test_an_upscaled_clip_keeps_what_it_holds(self, render, clip):
        (path,) = render(Upscale(job="j", clip=str(clip), cutoff_hz=4000, output_rate=22_050, **QUICK))[-1].paths

        assert path == str(clip.with_name("clïp upscale s5.wav"))
        before, after = (soundfile.read(file)[0] for file in (clip, path))
        changed = np.abs(np.fft.rfft(after - before, axis=0)).sum(axis=1)
        hz = np.fft.rfftfreq(22050, 1 / 22050)
        assert changed[hz < 3500].max() < 0.01 * changed[hz > 4500].max()

    def test_a_clip_may_take_the_place_of_the_words(self, render, clip, tmp_path, read_json):
        request = Generate(job="j", prompt="", like=str(clip), seconds=0.5, output_dir=str(tmp_path), **QUICK)
        (path,) = render(request)[-1].paths

        assert path == str(tmp_path / "generate like-clïp s5.wav")
        story = read_json(path.replace(".wav", ".json"))
        assert (story["prompt"], story["like"], story["like_weight"]) == ("", str(clip), 1.0)

    def test_a_clip_may_join_the_words(self, render, clip, read_json):
        request = Restyle(job="j", clip=str(clip), prompt="rain", like=str(clip), like_weight=0.25, **QUICK)
        (path,) = render(request)[-1].paths

        assert read_json(path.replace(".wav", ".json"))["like_weight"] == 0.25

    def test_a_region_may_have_a_band_of_its_own(self, render, clip, read_json):
        request = Inpaint(
            job="j", clip=str(clip), prompt="rain", start_s=0.1, end_s=0.2, region=((0.5, 0.6, 300, 900),), **QUICK
        )
        (path,) = render(request)[-1].paths

        assert read_json(path.replace(".wav", ".json"))["regions"] == [[0.1, 0.2], [0.5, 0.6, 300.0, 900.0]]

    @pytest.mark.parametrize(
        ("request_", "code"),
        [
            (Generate(job="j", prompt=" "), "empty_prompt"),
            (Generate(job="j", prompt="", like="/missing.wav"), "file_missing"),
            (Generate(job="j", prompt="rain", like="/missing.wav"), "file_missing"),
            (Generate(job="j", prompt="rain", follow="/missing.wav"), "file_missing"),
            (Vary(job="j", clip="/missing.wav"), "file_missing"),
            (Upscale(job="j", clip="/missing.wav"), "file_missing"),
        ],
        ids=[
            "no words and no clip",
            "no clip",
            "words, but no clip",
            "nothing to follow",
            "nothing to vary",
            "nothing to upscale",
        ],
    )
    def test_by_nothing_is_refused(self, render, request_, code, tmp_path):
        object.__setattr__(request_, "output_dir", str(tmp_path))

        assert render(request_)[-1].code == code
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("kind", "keys", "code"),
        [
            (Vary, {}, "clip_silent"),
            (Vary, {"strength": 2}, "bad_value"),
            (Upscale, {"cutoff_hz": 1}, "bad_value"),
            (Upscale, {"output_rate": 1}, "bad_value"),
            (Upscale, {"start_s": 9}, "bad_region"),
            (Restyle, {"prompt": "", "like": "the clip"}, "clip_silent"),
            (Restyle, {"prompt": "x", "like_weight": 2}, "bad_value"),
        ],
        ids=lambda value: str(getattr(value, "__name__", value)),
    )
    def test_by_what_cannot_be_is_refused(self, render, kind, keys, code, tmp_path):
        silence = tmp_path / "silence.wav"
        soundfile.write(silence, np.zeros(22050), 22050)
        given = keys | ({"like": str(silence)} if "like" in keys else {})

        assert render(kind(job="j", clip=str(silence), **given, **QUICK))[-1].code == code
        assert list(tmp_path.iterdir()) == [silence]


class TestAgain:
    """`retake again` makes what came through here once more, too."""

    @pytest.mark.parametrize(
        ("kind", "keys"),
        [
            (Generate, {"prompt": "rain", "seconds": 0.5, "negative": "wind"}),
            (Restyle, {"prompt": "rain", "strength": 0.7, "keep_air": True}),
            (Vary, {}),
            (Inpaint, {"prompt": "", "start_s": 0.1, "end_s": 0.3, "region": ((0.5, 0.6, 300, 900),)}),
            (Upscale, {"cutoff_hz": 4000}),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_sample_by_sample(self, render, clip, tmp_path, kind, keys):
        source = {} if kind is Generate else {"clip": str(clip)}
        like = {"like": str(clip)} if keys.get("prompt") == "" else {}
        folder = tmp_path / "takes"
        done = render(kind(job="j", output_dir=str(folder), candidates=2, **source, **like, **keys, **QUICK))[-1]

        for path in done.paths:
            assert retake(["again", path, "-o", str(tmp_path / "again.wav")]) == 0
            again, take = (soundfile.read(file, dtype="int32")[0] for file in (tmp_path / "again.wav", path))
            assert np.array_equal(again, take)
            for file in tmp_path.glob("again.*"):
                file.unlink()


class TestNews:
    def test_report_the_stages_in_order(self, render, tmp_path):
        news = render(Generate(job="j", prompt="rain", seconds=0.5, output_dir=str(tmp_path), steps=2))
        stages = [item.stage for item in news if isinstance(item, Progress)]
        fractions = [item.fraction for item in news if isinstance(item, Progress)]

        assert [stage for stage in stages if stage.startswith("step")] == ["step 1/2", "step 2/2"]
        assert stages[-1] == "writing"
        assert fractions == sorted(fractions)
        assert all(0 <= fraction <= 1 for fraction in fractions)

    def test_pass_each_warning_of_the_takes_on_once(self, tmp_path):
        class Warner:
            sample_rate = 16000

            def run(self, *_, **__):
                story = {"seed": 1, "warnings": ["it knows no saxophone"]}
                return [Audio(np.zeros(1000, np.float32), 16000, story)] * 2

        news = []
        renderer = Renderer(RenderSetup("warner", "cpu"), news.append)
        renderer._engine, renderer._model = Warner(), "warner"
        renderer.render(Generate(job="j", prompt="saxophone", output_dir=str(tmp_path)), lambda _: False)

        assert [item for item in news if isinstance(item, Notice)] == [Notice("j", "it knows no saxophone")]
        assert len(news[-1].paths) == 2

    def test_report_which_model_is_loaded(self, tmp_path):
        news = []
        request = Generate(job="j", prompt="rain", seconds=0.5, output_dir=str(tmp_path), steps=1)
        Renderer(RenderSetup("tiny", "cpu"), news.append).render(request, lambda _: False)

        assert news[0] == Progress("j", 0.0, "loading")
        assert isinstance(news[1], StatusReply)
        assert (news[1].model, news[1].device) == ("tiny", "cpu")


class TestRefusal:
    @pytest.mark.parametrize(
        ("keys", "code"),
        [
            ({"prompt": ""}, "empty_prompt"),
            ({"prompt": "x" * 5000}, "prompt_too_long"),
            ({"seed": -1}, "bad_value"),
            ({"strength": 1.5}, "bad_value"),
            ({"candidates": 0}, "bad_value"),
            ({"sampler": "none"}, "bad_value"),
            ({"start_s": 2.0, "end_s": 3.0}, "bad_region"),
            ({"start_s": 0.5, "end_s": 0.2}, "bad_region"),
            ({"clip": "/missing.wav"}, "file_missing"),
            ({"model": "unheard-of"}, "model_missing"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_has_a_code_a_sentence_and_a_hint_and_writes_nothing(self, render, clip, keys, code):
        failure = render(Restyle(**{"job": "j", "clip": str(clip), "prompt": "rain", "steps": 1} | keys))[-1]

        assert isinstance(failure, Fail)
        assert failure.code == code
        assert failure.text
        assert failure.hint
        assert list(clip.parent.iterdir()) == [clip]

    def test_of_a_clip_that_is_none(self, render, tmp_path):
        path = tmp_path / "clip.wav"
        path.write_text("not audio")

        assert render(Restyle(job="j", clip=str(path), prompt="rain"))[-1].code == "file_unreadable"

    def test_of_a_folder_that_cannot_be_made(self, render, clip):
        request = Restyle(job="j", clip=str(clip), prompt="rain", output_dir=str(clip / "inside"), **QUICK)

        assert render(request)[-1].code == "output_failed"

    def test_by_cancelling_writes_nothing(self, render, clip):
        failure = render(Restyle(job="j", clip=str(clip), prompt="rain", **QUICK), should_stop=lambda _: True)[-1]

        assert failure.code == "cancelled"
        assert list(clip.parent.iterdir()) == [clip]


def test_what_the_client_left_open_stays_the_engines_choice(clip):
    request = engine_request(Restyle(job="j", clip=str(clip), prompt="rain"))

    assert (request.strength, request.seed, request.candidates, request.keep_air) == (0.5, 1, 1, False)
    assert not request.draft


def test_a_draft_is_one_in_the_engine_too(clip):
    assert engine_request(Restyle(job="j", clip=str(clip), prompt="rain", draft=True)).draft


def test_the_models_of_a_folder_are_named(tmp_path):
    assert isinstance(installed_models(RenderSetup("tiny", "cpu", str(tmp_path))), ModelsReply)


@pytest.mark.slow
class TestProcess:
    @pytest.fixture
    def worker(self, state_dir):
        assert state_dir
        return RenderSupervisor(own_command("worker", RenderSetup("tiny", "cpu").to_json()), Timeouts(30.0))

    def test_renders_what_is_requested(self, worker, clip):
        async def scene():
            news = [item async for item in worker.render([Restyle(job="j", clip=str(clip), prompt="rain", **QUICK)])]
            await worker.stop()
            return news

        news = asyncio.run(scene())
        assert isinstance(news[-1], Done), news
        assert soundfile.info(news[-1].paths[0]).frames == 22050

    def test_stops_between_two_steps_and_goes_on_with_the_next_job(self, worker, clip):
        async def scene():
            heard = []
            async for item in worker.render(
                [Restyle(job="long", clip=str(clip), prompt="rain", steps=1000, strength=1)]
            ):
                heard.append(item)
                if isinstance(item, Progress) and item.stage.startswith("step"):
                    worker.cancel("long")
            process = worker.pid
            news = [item async for item in worker.render([Restyle(job="j", clip=str(clip), prompt="rain", **QUICK)])]
            same = worker.pid == process
            await worker.stop()
            return heard, news, same

        heard, news, same = asyncio.run(scene())
        assert heard[-1].code == "cancelled"
        assert isinstance(news[-1], Done)
        assert same

    def test_keeps_what_libraries_print_out_of_the_conversation(self):
        program = (
            "import sys; from bridge.host.child_pipes import claim_stdout\n"
            "pipe = claim_stdout(); print('chatter', flush=True); pipe.write(b'news\\n'); pipe.flush()\n"
        )

        async def scene():
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            return await process.communicate()

        assert asyncio.run(scene()) == (b"news\n", b"chatter\n")
