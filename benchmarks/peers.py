"""Other forecasters, each in an environment under `build/peers/` that is made when it is needed."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sets import ROOT

FOLDER = ROOT / "build" / "peers"
RIVALS = ROOT / "benchmarks" / "rivals"
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
"""All run on the torch that lstmcast runs on."""


class Lost(Exception):
    """A program failed, took too long, or could not be installed; the text says which."""


@dataclass(frozen=True)
class Peer:
    """A program under `benchmarks/rivals/` and its packages; lstmcast itself requires none."""

    name: str
    program: str
    requires: str = ""

    @property
    def folder(self) -> Path:
        """Its environment."""
        return FOLDER / self.program

    @property
    def python(self) -> Path:
        """The interpreter that runs it."""
        return self.folder / "bin" / "python" if self.requires else Path(sys.executable)

    def version(self) -> str:
        """Its version, and that of the torch beside it."""
        package = self.program if self.requires else "lstmcast"
        code = f"from importlib.metadata import version as v; print(v({package!r}), v('torch'))"
        probe = subprocess.run(
            [str(self.python), "-c", code], capture_output=True, text=True, check=False
        )
        own, _, torch = probe.stdout.strip().partition(" ")
        return f"{self.name} {own} (torch {torch})"


OURS = Peer("lstmcast", "lstmcast")
PEERS = (
    Peer("NeuralForecast LSTM", "neuralforecast", "neuralforecast"),
    Peer("darts BlockRNN", "darts", "darts[torch]"),
    Peer("GluonTS DeepAR", "gluonts", "gluonts[torch]"),
)


@dataclass(frozen=True)
class Spent:
    """What a process took: wall and processor seconds, peak bytes, and what it printed."""

    seconds: float
    cpu: float
    peak: int
    stdout: str


def install(peer: Peer) -> None:
    """Make the environment of a peer, unless it is whole already; raises Lost."""
    done = peer.folder / ".installed"
    if not peer.requires or done.exists():
        return
    print(
        f"installing {peer.requires} in {peer.folder.relative_to(ROOT)}",
        file=sys.stderr,
        flush=True,
    )
    torch = CONSTRAINTS.read_text(encoding="utf-8").split()[-1]
    pip = [
        str(peer.python),
        "-m",
        "pip",
        "install",
        "-qq",
        "--disable-pip-version-check",
    ]
    for line in (
        [sys.executable, "-m", "venv", "--clear", str(peer.folder)],
        [
            *pip,
            torch,
        ],  # first and by its version: another build would bring gigabytes with it
        [*pip, "--constraint", str(CONSTRAINTS), peer.requires],
    ):
        installed = subprocess.run(line, capture_output=True, text=True, check=False)
        if installed.returncode:
            raise Lost(
                f"could not be installed: {installed.stderr.strip().splitlines()[-1:]}"
            )
    done.touch()


def call(
    peer: Peer,
    action: str,
    *arguments: object,
    folder: Path,
    limit: float = 300.0,
    threads: int = 1,
) -> Spent:
    """Run an action of a peer's program in a folder; raises Lost."""
    install(peer)
    line = [
        str(peer.python),
        str(RIVALS / f"with_{peer.program}.py"),
        action,
        *map(str, arguments),
    ]
    return spend(line, folder, limit, threads)


def spend(
    line: Sequence[str], folder: Path, limit: float = 300.0, threads: int = 1
) -> Spent:
    """Run a command and measure it; raises Lost where it fails or takes longer than the limit."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }
    began = time.perf_counter()
    with (folder / "stdout").open("w+b") as out, (folder / "stderr").open("w+b") as err:
        process = subprocess.Popen(
            line,
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=err,
            stdin=subprocess.DEVNULL,
        )
        watch = threading.Timer(limit, process.kill)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
        late = not watch.is_alive()
        watch.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        output, errors = (_text(file) for file in (out, err))
    if late:
        raise Lost(f"over {limit:.0f} s")
    if process.returncode:
        raise Lost(
            f"exit {process.returncode}: {' '.join(errors.strip().splitlines()[-1:])[:200]}"
        )
    return Spent(
        seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output
    )


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    return str(file.read().decode(errors="replace"))  # type: ignore[attr-defined]
