"""Whether a daemon runs and answers, what its runtime file and lock say, and who has the port."""

from collections.abc import Iterator
from pathlib import Path

from bridge import __version__
from bridge.clients.status import ask_daemon
from bridge.daemon.osc_server import PORTS_TRIED
from bridge.diagnosis.checks.finding import Finding, ok, problem, warning
from bridge.diagnosis.checks.port_owner import is_free, owner_of
from bridge.diagnosis.checks.settings_file import valid_settings
from bridge.diagnosis.checks.surroundings import Surroundings
from bridge.errors import BridgeError
from bridge.host.discovery import Runtime, is_daemon_locked, lock_file, read_runtime, runtime_file, wait_for_daemon


def check_daemon(surroundings: Surroundings) -> Iterator[Finding]:
    state = surroundings.state
    if state is None or not state.is_dir():
        yield ok("daemon", "no daemon has run here yet; `retake daemon` starts one, as do the scripts")
    elif is_daemon_locked(state):
        yield _look_at_running(state)
    elif runtime_file(state).exists():
        yield warning(
            "daemon",
            f"none runs, but one left {runtime_file(state).name} behind when it was ended by force",
            "start one with `retake daemon`: it replaces the file and takes up the journal",
        )
    else:
        yield ok("daemon", "none runs at the moment; `retake daemon` starts one, as do the scripts")


def _look_at_running(state: Path) -> Finding:
    runtime = wait_for_daemon(state)
    if runtime is None:
        left = read_runtime(state)
        who = f" (perhaps pid {left.pid})" if left is not None else ""
        return problem(
            "daemon",
            f"a process{who} holds {lock_file(state)}, but no usable {runtime_file(state).name} says where it listens",
            "end the process `retake daemon` in the system's list of processes, then start it again",
        )
    try:
        reply = ask_daemon(runtime)
    except (BridgeError, OSError) as error:
        return problem(
            "daemon",
            f"the daemon with pid {runtime.pid} runs, but cannot be reached: {error}",
            f"end the process {runtime.pid}, then start the daemon again with `retake daemon`; no job is lost",
        )
    text = (
        f"Retake {runtime.version} answers at {runtime.host}:{runtime.port} (pid {runtime.pid}), and is {reply.state}"
    )
    if runtime.version != __version__:
        return warning("daemon", f"{text}; this is Retake {__version__}", "`retake send quit`, then `retake daemon`")
    return ok("daemon", text)


def check_port(surroundings: Surroundings) -> Iterator[Finding]:
    port = valid_settings(surroundings).port
    running = _running(surroundings)
    if running is not None:
        yield _compare(port, running)
    elif port == 0 or is_free(port):
        yield ok("port", f"UDP port {port} on 127.0.0.1 is free" if port else "the daemon takes any free port")
    else:
        yield _look_for_next(port, owner_of(port, surroundings.machine.system))


def _running(surroundings: Surroundings) -> Runtime | None:
    state = surroundings.state
    return wait_for_daemon(state, 0) if state is not None and state.is_dir() and is_daemon_locked(state) else None


def _compare(port: int, running: Runtime) -> Finding:
    if port in (0, running.port):
        return ok("port", f"UDP port {running.port} on 127.0.0.1 is the daemon's")
    return ok("port", f"the daemon has UDP port {running.port}, not {port} of the settings, and says so in its file")


def _look_for_next(port: int, owner: str) -> Finding:
    following = range(port + 1, min(port + PORTS_TRIED, 65_536))
    free = next(filter(is_free, following), None)
    text = f"UDP port {port} on 127.0.0.1 is taken by {owner}"
    if free is None:
        return problem(
            "port", f"{text}, and the next {len(following)} are, too", "set another `port`; 0 takes any that is free"
        )
    return warning(
        "port",
        f"{text}; the daemon will take {free} instead, and the scripts find it there",
        f"if one of your programs depends on {port}, end the program that uses it, or set another `port`",
    )
