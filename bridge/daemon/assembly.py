"""Puts the daemon together, and runs it: the only place where its parts are made and connected."""

import asyncio
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge import __version__
from bridge.daemon.background import BackgroundAnswers
from bridge.daemon.daemon_requests import DaemonRequests
from bridge.daemon.dispatcher import Dispatcher
from bridge.daemon.file_threads import FileThreads
from bridge.daemon.handlers import handlers_of
from bridge.daemon.job_publisher import JobPublisher
from bridge.daemon.job_recovery import JobRecovery
from bridge.daemon.job_requests import JobRequests
from bridge.daemon.job_runner import JobRunner
from bridge.daemon.model_requests import ModelRequests
from bridge.daemon.osc_server import LOOPBACK, OscServer, open_server
from bridge.daemon.pause import PauseSwitch
from bridge.daemon.preview_requests import PreviewRequests
from bridge.daemon.rules import DaemonRules
from bridge.daemon.subscribers import Subscribers
from bridge.farm.plan import FarmPlan
from bridge.farm.supervisor import FarmSupervisor
from bridge.host.discovery import Runtime, remove_runtime, write_runtime
from bridge.host.program import own_command
from bridge.host.runtime_copies import remove_copies, write_copies
from bridge.host.settings import Settings
from bridge.jobs.housekeeping import Housekeeping
from bridge.jobs.job_queue import JobQueue
from bridge.jobs.journal import JOURNAL_FILE, Journal, open_journal
from bridge.jobs.reply_files import ReplyFiles
from bridge.preview.supervisor import Previewer, PreviewRules
from bridge.rendering.pipe import IN_ENVIRONMENT, SETUP_VARIABLE, RenderSetup
from bridge.rendering.supervisor import RenderSupervisor
from bridge.rendering.watchdog import Timeouts

_LAST_WORDS_S = 0.05
"""How long the process stays after its last replies: clients believe them only while it is there."""


@dataclass(frozen=True, kw_only=True)
class Daemon:
    """The parts, put together by `build` and run by `serve`. Setting `closing` ends them."""

    folder: Path
    runtime: Runtime
    server: OscServer
    journal: Journal
    supervisor: RenderSupervisor | FarmSupervisor
    dispatcher: Dispatcher
    publisher: JobPublisher
    runner: JobRunner
    recovery: JobRecovery
    pause: PauseSwitch
    previewer: Previewer
    background: BackgroundAnswers
    housekeeping: Housekeeping
    closing: asyncio.Event

    async def serve(self) -> None:
        """Publish where the daemon is, and answer until it is closed; leave neither process nor runtime file behind."""
        self.pause.restore()
        self.recovery.requeue()
        write_runtime(self.folder, self.runtime)
        write_copies(self.folder, self.runtime)
        loops = (self.dispatcher.receive(), self.runner.work(), self.housekeeping.run(), self.publisher.catch_up())
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            await self.closing.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._end()

    async def _end(self) -> None:
        """End in order: no new work, then the last word about every job, then the processes, then the files."""
        self.pause.set(on=False)  # a pause is for this daemon's life; only a killed one leaves it to the next
        self.dispatcher.close()
        self.background.close()
        self.recovery.interrupt()
        await self.previewer.close()
        await self.supervisor.stop()
        await asyncio.sleep(_LAST_WORDS_S)
        self.server.close()
        self.journal.close()
        remove_copies(self.folder)
        remove_runtime(self.folder)


async def build(
    settings: Settings,
    folder: Path,
    worker_command: Sequence[str] | None = None,
    player_command: Sequence[str] | None = None,
    farm_command: Sequence[str] | None = None,
) -> Daemon:
    """Construct and connect everything, with its files in `folder`; the commands replace those of the children."""
    journal_file = folder / JOURNAL_FILE
    journal = open_journal(journal_file)
    server = await open_server(settings.port)
    runtime = Runtime(LOOPBACK, server.port, os.getpid(), __version__, secrets.token_urlsafe(24))
    setup = _render_setup(settings, folder)
    rules = _rules(settings, folder, setup, runtime.token, player_command or own_command("player"))
    queue, closing = JobQueue(settings.queue_capacity), asyncio.Event()
    subscribers, files = Subscribers(server), FileThreads()
    supervisor = _supervisor(settings, setup, worker_command, farm_command)
    pause, background, reply_files = PauseSwitch(queue, folder), BackgroundAnswers(server), ReplyFiles()
    publisher = JobPublisher(journal, reply_files, subscribers)
    jobs = JobRequests(server, journal, queue, supervisor, publisher, reply_files, subscribers, files, rules.paths)
    previews = PreviewRequests(server, subscribers, files, rules.paths, rules.player_command, rules.previews)
    models = ModelRequests(server, supervisor, background)
    daemon = DaemonRequests(server, subscribers, journal, queue, supervisor, pause, rules, closing)
    return Daemon(
        folder=folder,
        runtime=runtime,
        server=server,
        journal=journal,
        supervisor=supervisor,
        dispatcher=Dispatcher(server, handlers_of(jobs, models, previews, daemon), rules.token),
        publisher=publisher,
        runner=JobRunner(supervisor, journal, queue, publisher, rules),
        recovery=JobRecovery(journal, queue, publisher, reply_files, rules),
        pause=pause,
        previewer=previews.previewer,
        background=background,
        housekeeping=Housekeeping(journal_file, rules.paths, settings.history_days, settings.history_jobs),
        closing=closing,
    )


def _rules(
    settings: Settings, folder: Path, setup: RenderSetup, token: str, player_command: Sequence[str]
) -> DaemonRules:
    return DaemonRules(
        token=token if settings.require_token else None,
        state_folder=folder,
        model=settings.model,
        device=settings.device,
        idle_unload_s=60 * settings.idle_unload_min,
        resume_within_s=3600 * settings.resume_within_h,
        batch_jobs=settings.batch_jobs,
        paths=setup.path_rules,
        player_command=player_command,
        previews=PreviewRules(device=settings.preview_device, level_db=settings.preview_level_db),
    )


def _supervisor(
    settings: Settings, setup: RenderSetup, command: Sequence[str] | None, farm_command: Sequence[str] | None
) -> RenderSupervisor | FarmSupervisor:
    """Return what renders: a process of this machine, or the farm."""
    timeouts = Timeouts(settings.cancel_grace_s, settings.worker_silence_s, 60 * settings.worker_stuck_min)
    environment = {SETUP_VARIABLE: setup.to_json()}
    local = RenderSupervisor(command or own_command("worker", IN_ENVIRONMENT), timeouts, environment)
    if not settings.farm:
        return local
    plan = FarmPlan(settings.farm, settings.farm_gpus, settings.farm_cpus, settings.farm_actors, settings.farm_wait_s)
    command = farm_command or own_command("farm-worker", IN_ENVIRONMENT, plan.to_json())
    return FarmSupervisor(command, timeouts, local if settings.farm_fallback else None, environment)


def _render_setup(settings: Settings, folder: Path) -> RenderSetup:
    models_dir = None if settings.models_dir is None else str(settings.models_dir)
    output_dir = None if settings.output_dir is None else str(settings.output_dir)
    return RenderSetup(
        settings.model,
        settings.device,
        models_dir,
        output_dir,
        str(folder),
        allowed_folders=tuple(map(str, settings.allowed_folders)),
        max_clip_bytes=settings.max_clip_bytes,
        max_clip_min=settings.max_clip_min,
        max_output_bytes=settings.max_output_bytes,
    )
