"""The stage of the smoke test: the frozen programs in a home of their own, without Python and with few variables."""

import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from installer.product import NAME

HOME = "home/musician"
"""The home in a system of its own, seen from that system's root."""
JOB_S = 300.0
"""How long one program may take, on however slow a machine."""


class SmokeError(Exception):
    """A frozen program did not do what it does from source."""


@dataclass(frozen=True)
class Spoken:
    """What a program said, and how long it took."""

    code: int
    out: str
    err: str
    seconds: float


@dataclass(frozen=True)
class Stage:
    """Where the programs run: a home of their own, no Python, and only a handful of variables."""

    programs: str
    """Their folder, as they see it."""
    home: Path
    """As we see it."""
    root: Path | None = None
    """The system that they run in, if it is not ours."""

    @property
    def inner_home(self) -> str:
        """The home as the programs see it."""
        return f"/{HOME}" if self.root else str(self.home)

    @property
    def state(self) -> Path:
        return self.home / ".local" / "state" / NAME

    @property
    def environment(self) -> dict[str, str]:
        nowhere = "/usr/bin:/bin" if self.root else f"{self.inner_home}/no-programs"
        return {"HOME": self.inner_home, "PATH": nowhere, "LANG": "C.UTF-8", "RETAKE_OFFLINE": "1"}

    def command(self, program: str, *words: str) -> list[str]:
        line = [f"{self.programs}/{program}", *words]
        if self.root is None:
            return line
        inside = ["/usr/bin/env", "-C", self.inner_home, *line]
        return [shutil.which("chroot") or "/usr/sbin/chroot", str(self.root), *inside]

    def start(self, program: str, *words: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a program and leave it running, with its words thrown away."""
        nothing = subprocess.DEVNULL
        line, where = self.command(program, *words), self.home
        return subprocess.Popen(  # noqa: S603
            line, env=self.environment | variables, cwd=where, stdin=nothing, stdout=nothing, stderr=nothing
        )

    def speak(self, program: str, *words: str) -> Spoken:
        """Run a program to its end."""
        began = time.monotonic()
        done = subprocess.run(  # noqa: S603
            self.command(program, *words), env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=JOB_S, check=False,
        )  # fmt: skip
        return Spoken(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def run(self, program: str, *words: str, code: int = 0) -> Spoken:
        """Run a program that must end with `code`. Raises SmokeError."""
        spoken = self.speak(program, *words)
        if spoken.code != code:
            raise SmokeError(f"{program} {' '.join(words)} ended with {spoken.code}:\n{spoken.out}{spoken.err}")
        return spoken

    def new_file(self, name: str, program: str, *words: str) -> Spoken:
        """Run a program that must leave the file `name` in the home. Raises SmokeError."""
        spoken = self.run(program, *words)
        if not (self.home / name).is_file() or (self.home / name).stat().st_size < 10_000:
            raise SmokeError(f"{program} {' '.join(words)} left no {name}:\n{spoken.out}{spoken.err}")
        return spoken
