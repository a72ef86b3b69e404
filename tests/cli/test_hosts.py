"""Several hosts: a fit whose ranks, and jobs whose workers, are elsewhere than the command.

A host is a network namespace with an address of its own. It is kept by a process that reads a pipe
from this one, so that it goes when the tests end, however they do.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from tests.cli.conftest import PROGRAM, environment, run_program, write_shops

PANEL = ("--target", "sold", "--series", "shop")
FIT = ("fit", "panel.csv", *PANEL, "--members", "1")
LONG = (*FIT, "--steps", "60", "--patience", "9", "--checkpoint-every", "0.1s", "--out")
_WIRE = "wire"
_READY = "ip link set lo up && echo ready && exec cat"


class Host(NamedTuple):
    """A network namespace, the process that keeps it, and its address."""

    keeper: "subprocess.Popen[str]"
    address: str

    def within(self) -> tuple[str, ...]:
        """The beginning of a line that runs in it."""
        return (
            "nsenter",
            f"--target={self.keeper.pid}",
            "--user",
            "--net",
            "--preserve-credentials",
        )

    @contextlib.contextmanager
    def start(self, *line: str, cwd: Path) -> "Iterator[subprocess.Popen[str]]":
        """Run a program there for as long as the block lasts."""
        with subprocess.Popen(
            [*self.within(), *line],
            cwd=cwd,
            env=environment(GLOO_SOCKET_IFNAME=_WIRE),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as program:
            try:
                yield program
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(program.pid, signal.SIGKILL)

    def run(self, *line: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Run a program there to its end."""
        with self.start(*line, cwd=cwd) as program:
            out, err = program.communicate(timeout=120)
        return subprocess.CompletedProcess(line, program.returncode, out, err)


@contextlib.contextmanager
def _namespace(*line: str) -> "Iterator[subprocess.Popen[str]]":
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*line, "sh", "-c", _READY], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as keeper:
        assert keeper.stdout and keeper.stderr
        if keeper.stdout.readline() != "ready\n":
            pytest.skip(
                f"needs network namespaces, which are missing here: {keeper.stderr.read().strip()}"
            )
        yield keeper


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, Host]]:
    """Two hosts with a wire between them; skips where they cannot be made."""
    for program in ("unshare", "nsenter", "ip"):
        if shutil.which(program) is None:
            pytest.skip(f"needs network namespaces: there is no {program}")
    with _namespace("unshare", "--user", "--map-root-user", "--net") as keeper:
        first = Host(keeper, "10.77.0.1")
        with _namespace(*first.within(), "unshare", "--net") as keeper:
            second = Host(keeper, "10.77.0.2")
            wire = (
                "ip",
                "link",
                "add",
                _WIRE,
                "type",
                "veth",
                "peer",
                "name",
                _WIRE,
                "netns",
                str(keeper.pid),
            )
            done = subprocess.run(
                [*first.within(), *wire], check=False, capture_output=True, text=True
            )
            if done.returncode:
                pytest.skip(
                    f"needs a wire between network namespaces, missing here: {done.stderr}"
                )
            for host in (first, second):
                for line in (
                    f"addr add {host.address}/24 dev {_WIRE}",
                    f"link set {_WIRE} up",
                ):
                    subprocess.run([*host.within(), "ip", *line.split()], check=True)
            yield first, second


# ---- ranks of a fit


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with `panel.csv`, which all hosts see."""
    return write_shops(tmp_path / "panel.csv").parent


def launcher(hosts: tuple[Host, Host], here: Host, *options: str) -> tuple[str, ...]:
    """The line that starts the one rank of a host."""
    return (
        *(
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--nnodes=2",
            "--nproc-per-node=1",
            *options,
        ),
        *(
            "--rdzv-backend=c10d",
            f"--rdzv-endpoint={hosts[0].address}:29400",
            f"--local-addr={here.address}",
        ),
        *(f"--rdzv-conf=is_host={int(here is hosts[0])}", "-m", "lstmcast"),
    )


def on_one_host(*arguments: str, cwd: Path) -> bytes:
    """Weights that two ranks on one host learn."""
    line = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        "-m",
        "lstmcast",
    ]
    done = subprocess.run(
        [*line, *arguments],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return (cwd / arguments[-1] / "model.safetensors").read_bytes()


def test_two_hosts_learn_what_two_ranks_of_one_learn_and_only_the_first_writes(
    hosts: tuple[Host, Host], folder: Path, tmp_path: Path
) -> None:
    options = ("--steps", "12", "--out")
    away = tmp_path / "away"
    away.mkdir()
    write_shops(away / "panel.csv")
    with (
        hosts[0].start(
            *launcher(hosts, hosts[0]), *FIT, *options, "two", cwd=folder
        ) as first,
        hosts[1].start(
            *launcher(hosts, hosts[1]), *FIT, *options, "two", cwd=away
        ) as second,
    ):
        messages = [program.communicate(timeout=120) for program in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), messages
    runs = [place / "two" for place in (folder, away) if (place / "two").exists()]
    assert len(runs) == 1  # whichever host torchrun has made the first
    assert sorted(out for out, _ in messages) == ["", "two\n"]
    assert sum("saved" in err for _, err in messages) == 1
    assert (runs[0] / "model.safetensors").read_bytes() == on_one_host(
        *FIT, *options, "one", cwd=folder
    )


@pytest.fixture(scope="module")
def uncut(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The weights that two ranks learn which nothing interrupts."""
    place = tmp_path_factory.mktemp("uncut")
    write_shops(place / "panel.csv")
    return on_one_host(*LONG, "uncut", cwd=place)


@contextlib.contextmanager
def begun(
    hosts: tuple[Host, Host], folder: Path, messages: list[str]
) -> "Iterator[tuple[subprocess.Popen[str], subprocess.Popen[str]]]":
    """Launchers on two hosts, which may start their ranks again once, when some of the fit is kept.

    After the block they go on to a good end; `messages` is what they say on stderr.
    """
    lines = [
        (*launcher(hosts, host, "--max-restarts=1"), *LONG, "cut") for host in hosts
    ]
    with (
        hosts[0].start(*lines[0], cwd=folder) as first,
        hosts[1].start(*lines[1], cwd=folder) as second,
    ):
        limit = time.monotonic() + 60
        while not list(folder.glob("cut/checkpoint/*.safetensors")):
            assert (
                first.poll() is None
                and second.poll() is None
                and time.monotonic() < limit
            )
            time.sleep(0.1)
        yield first, second
        messages += [program.communicate(timeout=100)[1] for program in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), messages


def _rank(torchrun: "subprocess.Popen[str]") -> int:
    """The process of the only rank that a launcher has started."""
    (child,) = (
        Path(f"/proc/{torchrun.pid}/task/{torchrun.pid}/children").read_text().split()
    )
    return int(child)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_rank_that_is_lost_on_one_host_is_started_again_and_all_go_on(
    hosts: tuple[Host, Host], folder: Path, uncut: bytes, victim: int
) -> None:
    with begun(hosts, folder, []) as launchers:
        os.kill(_rank(launchers[victim]), signal.SIGKILL)
    assert (folder / "cut" / "model.safetensors").read_bytes() == uncut


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_hosts_go_on_together_though_only_one_has_counted_a_new_start(
    hosts: tuple[Host, Host], folder: Path, uncut: bytes, victim: int
) -> None:
    """The other rank lives when its launcher sees that a host waits to join: none is lost."""
    messages: list[str] = []
    with begun(hosts, folder, messages) as launchers:
        other = _rank(launchers[1 - victim])
        os.kill(other, signal.SIGSTOP)
        os.kill(_rank(launchers[victim]), signal.SIGKILL)
        time.sleep(3)
        os.kill(other, signal.SIGKILL)
    assert "exitcode: 6" not in "".join(messages)
    assert (folder / "cut" / "model.safetensors").read_bytes() == uncut


# ---- workers of a cluster


@pytest.fixture
def cluster(hosts: tuple[Host, Host], tmp_path: Path) -> Iterator[str]:
    """Address of a Dask scheduler on the second host, with a worker there."""
    pytest.importorskip("distributed")
    address = f"tcp://{hosts[1].address}:8786"
    dask = (sys.executable, "-m", "dask")
    place = tmp_path / "cluster"
    place.mkdir()
    with (
        hosts[1].start(
            *dask,
            "scheduler",
            f"--host={hosts[1].address}",
            "--no-dashboard",
            cwd=place,
        ),
        hosts[1].start(
            *dask,
            "worker",
            address,
            "--no-dashboard",
            "--no-nanny",
            "--nthreads=1",
            cwd=place,
        ),
    ):
        yield address


def test_a_folder_is_forecast_by_workers_of_another_host(
    hosts: tuple[Host, Host], cluster: str, tmp_path: Path
) -> None:
    table = pd.read_csv(write_shops(tmp_path / "panel.csv"), parse_dates=["day"])
    (tmp_path / "data").mkdir()
    for number in range(2):
        table[table["shop"] == f"s{number}"].to_parquet(
            tmp_path / f"data/{number}.parquet"
        )
    fitted = run_program(
        "fit", "panel.csv", *PANEL, "--steps", 0, "--out", "run", cwd=tmp_path
    )
    assert fitted.returncode == 0, fitted.stderr
    line = (*PROGRAM, "predict", "run", "data", "-q", "-o")
    there = ("--backend", "dask", "--scheduler", cluster)
    refused = hosts[0].run(*line, "afar/", *there, cwd=tmp_path)
    assert (
        refused.returncode == 2
        and "not encrypted" in refused.stderr
        and "--insecure" in refused.stderr
    )
    assert not (tmp_path / "afar").exists()
    for name, options in (("near/", ("-j", "1")), ("afar/", (*there, "--insecure"))):
        done = hosts[0].run(*line, name, *options, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
    for name in ("0.parquet", "1.parquet"):
        assert (tmp_path / "afar" / name).read_bytes() == (
            tmp_path / "near" / name
        ).read_bytes()
    assert json.loads((tmp_path / "afar/manifest.json").read_text())["complete"] is True


@pytest.mark.slow
def test_members_of_a_fit_are_trained_by_workers_of_another_host(
    hosts: tuple[Host, Host], cluster: str, folder: Path
) -> None:
    options = (
        "fit",
        "panel.csv",
        *PANEL,
        "--members",
        "2",
        "--steps",
        "30",
        "--patience",
        "9",
        "--time-budget",
        "5m",
    )
    line = (*PROGRAM, *options, "--checkpoint-every", "0.1s", "--out")
    afar = hosts[0].run(
        *line,
        "afar",
        "--backend",
        "dask",
        "--scheduler",
        cluster,
        "--insecure",
        cwd=folder,
    )
    near = hosts[0].run(*line, "near", "-j", "1", cwd=folder)
    assert (afar.returncode, afar.stdout, near.returncode) == (0, "afar\n", 0), (
        afar.stderr
    )
    runs = [folder / name / "model.safetensors" for name in ("afar", "near")]
    assert runs[0].read_bytes() == runs[1].read_bytes()
    assert not (folder / "afar" / "checkpoint").exists()
