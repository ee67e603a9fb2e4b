"""The daemon's life: settings, lock, wiring, signals, and an orderly end. In between it is the desk that acts."""

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bridge import __version__
from bridge.daemon.dispatcher import Dispatcher
from bridge.daemon.osc_server import LOOPBACK, OscServer, open_server
from bridge.daemon.rules import DispatcherRules
from bridge.errors import BridgeError, FolderError
from bridge.farm.plan import FarmPlan
from bridge.farm.supervisor import FarmSupervisor
from bridge.host.discovery import (
    Runtime,
    become_daemon,
    remove_runtime,
    state_folder,
    wait_for_daemon,
    write_runtime,
)
from bridge.host.entry import require_files
from bridge.host.job_log import start_log
from bridge.host.private_folder import make_private, make_private_file
from bridge.host.program import own_command
from bridge.host.runtime_copies import remove_copies, write_copies
from bridge.host.settings import Settings, add_flags, load_settings
from bridge.jobs.housekeeping import Housekeeping
from bridge.jobs.job_queue import JobQueue
from bridge.jobs.journal import JOURNAL_FILE, Journal, open_journal
from bridge.preview.supervisor import PreviewRules
from bridge.rendering.pipe import IN_ENVIRONMENT, SETUP_VARIABLE, RenderSetup
from bridge.rendering.supervisor import RenderSupervisor, Timeouts

_LAST_WORDS_S = 0.05
"""How long we stay after our last words: clients believe them only while we are there."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Daemon:
    """The parts, put together by `build` and brought to life by `serve`."""

    folder: Path
    runtime: Runtime
    server: OscServer
    journal: Journal
    worker: RenderSupervisor | FarmSupervisor
    desk: Dispatcher
    tidying: Housekeeping

    async def serve(self) -> None:
        """Publish where we are, and answer until the desk closes; leave neither process nor runtime file behind."""
        self.desk.reopen()
        write_runtime(self.folder, self.runtime)
        write_copies(self.folder, self.runtime)
        tasks = [asyncio.create_task(self.desk.receive()), asyncio.create_task(self.desk.work())]
        tasks += [asyncio.create_task(self.tidying.run()), asyncio.create_task(self.desk.keep_up())]
        try:
            await self.desk.closing.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.desk.close()
            await self.desk.previewer.close()
            await self.worker.stop()
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
    """Construct and connect everything, with its files in `folder`; other commands can replace the child processes."""
    journal_file = folder / JOURNAL_FILE
    journal = open_journal(journal_file)
    server = await open_server(settings.port)
    runtime = Runtime(LOOPBACK, server.port, os.getpid(), __version__, secrets.token_urlsafe(24))
    setup = _render_setup(settings, folder)
    worker = _worker(settings, setup, worker_command, farm_command)
    rules = DispatcherRules(
        token=runtime.token if settings.require_token else None,
        state_folder=folder,
        model=settings.model,
        device=settings.device,
        idle_unload_s=60 * settings.idle_unload_min,
        resume_within_s=3600 * settings.resume_within_h,
        batch_jobs=settings.batch_jobs,
        paths=setup.path_rules,
        player_command=player_command or own_command("player"),
        previews=PreviewRules(device=settings.preview_device, level_db=settings.preview_level_db),
    )
    desk = Dispatcher(server, journal, JobQueue(settings.queue_capacity), worker, rules)
    tidying = Housekeeping(journal_file, setup.path_rules, settings.history_days, settings.history_jobs)
    return Daemon(folder, runtime, server, journal, worker, desk, tidying)


def _worker(
    settings: Settings, setup: RenderSetup, command: Sequence[str] | None, farm_command: Sequence[str] | None
) -> RenderSupervisor | FarmSupervisor:
    """Give the keeper of what renders: a process of this machine, or the farm."""
    patience = Timeouts(settings.cancel_grace_s, settings.worker_silence_s, 60 * settings.worker_stuck_min)
    environment = {SETUP_VARIABLE: setup.to_json()}
    local = RenderSupervisor(command or own_command("worker", IN_ENVIRONMENT), patience, environment)
    if not settings.farm:
        return local
    plan = FarmPlan(settings.farm, settings.farm_gpus, settings.farm_cpus, settings.farm_actors, settings.farm_wait_s)
    command = farm_command or own_command("farm-worker", IN_ENVIRONMENT, plan.to_json())
    return FarmSupervisor(command, patience, local if settings.farm_fallback else None, environment)


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


async def _run(settings: Settings, folder: Path) -> None:
    daemon = await build(settings, folder)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(daemon.desk.closing.set))
    log.info("Retake %s, pid %d, port %d", __version__, daemon.runtime.pid, daemon.runtime.port)
    print(f"Retake {__version__} listens on {daemon.runtime.host}:{daemon.runtime.port}", flush=True)
    await daemon.serve()
    log.info("ended")


def _start(settings: Settings, folder: Path) -> int:
    """Run the daemon, unless this user has one already: then say where it is."""
    require_files()
    try:
        make_private(folder)
        lock = become_daemon(folder)
        if lock is None:
            other = wait_for_daemon(folder)
            where = "" if other is None else f" at {other.host}:{other.port} (pid {other.pid})"
            print(f"Retake is running already{where}")
            return 0
        start_log(folder, settings.log_level)
        make_private_file(folder / JOURNAL_FILE)
    except OSError as error:
        raise FolderError(folder, error.strerror or error) from error
    asyncio.run(_run(settings, folder))
    lock.release()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run `retake daemon`."""
    parser = argparse.ArgumentParser(prog="retake daemon", description="Listen for OSC requests and render them.")
    add_flags(parser)
    flags = vars(parser.parse_args(argv))
    try:
        return _start(load_settings(os.environ, flags), state_folder(os.environ))
    except BridgeError as error:
        print(f"{error.text}\nhint: {error.hint}", file=sys.stderr)
        return 1
