"""The surface: on each of Live's ticks it reads commands, follows the job, and places its takes. No threads."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple, Sequence

import Live
from ableton.v2.control_surface import ControlSurface

from .commands import PREFIX, Command, Refusal, id_of, parse
from .endpoint import Address, Endpoint
from .excerpt import Excerpt, clip_in_view, place_in_view
from .job import Job, Line, start_job
from .operations import OPERATIONS
from .placement import can_place, place
from .requests import Request, arguments_of, is_following, names_of, request_of
from .whereabouts import read_runtime, state_folder

VERSION = "0.1.0"
_ANSWERS_KEPT = 50


class Task(NamedTuple):
    """What is under way: who wants it, and for what place."""

    job: Job
    command: Command
    sender: Address
    request: Request
    excerpt: Excerpt


class RetakeSurface(ControlSurface):
    """What Live loads. It shows nothing and maps nothing: it only listens on its port."""

    def __init__(self, c_instance: Any, line: Line | None = None) -> None:
        super().__init__(c_instance)
        self._line = line or Line()
        self._folder = state_folder(os.environ)
        self._endpoint = Endpoint(self._folder)
        self._task: Task | None = None
        self._last_request: Request | None = None
        self._answers: dict[str, tuple[str, list[Any]]] = {}
        try:
            self._note(f"listens on 127.0.0.1:{self._endpoint.port}")
            self.schedule_message(1, self._tick)
        except Exception:
            self._endpoint.close()  # no one may find an address at which no one answers
            raise

    def disconnect(self) -> None:
        try:
            if self._task is not None:
                self._task.job.cancel()
                self._task.job.close()
        finally:
            self._endpoint.close()
            super().disconnect()

    def _note(self, text: str) -> None:
        """Write a line into Live's Log.txt: the base class has no method for it, the object that Live gave us has."""
        self._c_instance.log_message("Retake: " + text)

    def _tick(self) -> None:
        """Whatever goes wrong, the next tick is scheduled."""
        try:
            for address, args, sender in self._endpoint.messages():
                self._open(address, args, sender)
            if self._task is not None:
                task = self._task
                for kind, news in task.job.tick():
                    self._report(task, kind, news)
        except Exception as error:  # noqa: BLE001 - a tick that fails must not be the last
            self._note(repr(error))
        finally:
            self.schedule_message(1, self._tick)

    # ---------------------------------------------------------------------------------------- commands

    def _open(self, address: str, args: list[Any], sender: Address) -> None:
        try:
            command = parse(address, args, self._endpoint.token, time.time())
            self._carry_out(command, sender)
        except Refusal as refusal:
            self._endpoint.send("/fail", [address, id_of(args), refusal.code, refusal.text, refusal.hint], sender)
            self.show_message(f"Retake: {refusal.text}; {refusal.hint}")
        except Exception as error:  # noqa: BLE001 - Live raises what it likes
            words = ["internal_error", f"Live refused: {error}", "look into Live's Log.txt"]
            self._endpoint.send("/fail", [address, id_of(args), *words], sender)
            self._note(repr(error))

    def _carry_out(self, command: Command, sender: Address) -> None:
        name = command.address[len(PREFIX) :]
        if name == "status":
            clip = self.song.view.detail_clip
            facts = [VERSION, int(self._task is not None), "" if clip is None else clip.name]
            self._endpoint.send(PREFIX + "status.reply", [command.id, *facts], sender)
        elif name == "cancel":
            self._cancel(command, sender)
        elif command.id in self._answers:
            self._endpoint.send(*self._answers[command.id], sender)
        elif self._task is not None and command.id == self._task.command.id:
            self._endpoint.send(PREFIX + "ack", [command.id], sender)
        else:
            self._begin(command, sender)

    def _cancel(self, command: Command, sender: Address) -> None:
        if self._task is None or command.id != self._task.command.id:
            raise Refusal("unknown_job", "no such command is under way", "nothing has to be cancelled")
        self._task.job.cancel()
        self._endpoint.send("/done", [command.address, command.id, 0], sender)

    def _begin(self, command: Command, sender: Address) -> None:
        if self._task is not None:
            raise Refusal("busy", "another take is still being made", "wait for it, or cancel it")
        request = request_of(command, self._last_request)
        needs_clip = request.operation != "generate" or is_following(request)
        excerpt = clip_in_view(self.song) if needs_clip else place_in_view(self.song)
        if "seconds" in request.keys:
            excerpt.forget_shape()  # the take is not as long as the clip's file
        job_id = "live-" + os.urandom(8).hex()
        args = arguments_of(request, excerpt)
        if request.operation == "generate" and excerpt.file:
            args += ["output_dir", os.path.dirname(excerpt.file)]
        job = start_job(lambda: read_runtime(self._folder), "/retake/" + request.operation, job_id, args, self._line)
        self._task = Task(job, command, sender, request, excerpt)
        self._last_request = request
        self._endpoint.send(PREFIX + "ack", [command.id], sender)
        self.show_message(f"Retake: {OPERATIONS[request.operation].label} of {excerpt.name} begins")

    # -------------------------------------------------------------------------------------------- news

    def _report(self, task: Task, kind: str, args: Sequence[Any]) -> None:
        if kind == "progress":
            fraction, stage = args
            self._endpoint.send(PREFIX + "progress", [task.command.id, float(fraction), stage], task.sender)
            self.show_message(f"Retake: {stage}, {fraction:.0%}")
        elif kind == "warning":
            self._warn(task, args[0])
        elif kind == "done":
            self._place(task, args)
            self._end(task, "/done", [len(args), *args])
        else:
            code, text, hint = args
            self._end(task, "/fail", [code, text, hint])
            self.show_message(f"Retake: {text}; {hint}")

    def _warn(self, task: Task, text: str) -> None:
        self._endpoint.send(PREFIX + "warning", [task.command.id, text], task.sender)
        self.show_message("Retake: " + text)

    def _end(self, task: Task, address: str, args: list[Any]) -> None:
        """Send the final answer, and keep it: the same command, sent again, gets it again."""
        answer = (address, [task.command.address, task.command.id, *args])
        self._answers[task.command.id] = answer
        for old in list(self._answers)[:-_ANSWERS_KEPT]:
            del self._answers[old]
        self._endpoint.send(*answer, task.sender)
        self._task = None

    def _place(self, task: Task, paths: Sequence[str]) -> None:
        """Put the takes into the Set; where that cannot be, say where their files are."""
        application = Live.Application.get_application()
        version = (
            application.get_major_version(),
            application.get_minor_version(),
            application.get_bugfix_version(),
        )
        if not can_place(version):
            self._warn(task, "this Live cannot create audio clips (12.0.5 can); drag in " + ", ".join(paths))
            return
        try:
            place(self.song, task.excerpt, paths, names_of(task.request, len(paths)))
        except Exception as error:  # noqa: BLE001 - Live raises what it likes
            self._note(repr(error))
            files = ", ".join(paths)
            self._warn(task, f"Live took no clips ({error}), perhaps the track is gone; drag in {files}")
            return
        self.show_message(f"Retake: {len(paths)} takes of {task.excerpt.name} are in the Set")
        if task.excerpt.is_warped:
            self._warn(task, "the clip is warped: its take is of the whole file, and not warped")
