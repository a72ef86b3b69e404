"""The crash harness: the Nth operation of a disk fails, or the process dies there, for N = 1, 2, 3...

After each the old run or the new one loads, never a mix; nothing is lost, nothing is said in more than three lines. The
counts are in the reports of the tests (`-rP`); docs/reliability.md has those of the last full run (`make test-slow`).
"""

import io
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmcast import rundir
from lstmcast.cli import app
from lstmcast.rundir import open_run, publish
from tests.cli.conftest import PROGRAM, environment, run_program, write_months

OLD, NEW = {"metrics.json": b"old"}, {"metrics.json": b"new", "model.safetensors": b"x" * 5000}
PUBLISH = """
import sys
sys.path[:0] = [sys.argv[2]]
from lstmcast.rundir import publish
publish(sys.argv[1], {"metrics.json": b"new", "model.safetensors": b"x" * 5000}, {}, force=True)
"""
RENAMES = "rename,renameat,renameat2"
FAULTS = {
    "an fsync that fails": ("fsync", "error=EIO"),
    "a write to a full disk": ("write", "error=ENOSPC"),
    "a rename that fails": (RENAMES, "error=EIO"),
    "a kill at a write": ("write", "signal=KILL"),
    "a kill at an fsync": ("fsync", "signal=KILL"),
    "a kill at a rename": (RENAMES, "signal=KILL"),
    "a kill at a removal": ("unlink,unlinkat,rmdir", "signal=KILL"),
    "a kill at a new folder": ("mkdir,openat", "signal=KILL"),
}


def can_trace() -> bool:
    return shutil.which("strace") is not None and subprocess.run(["strace", "-qq", "true"], check=False).returncode == 0


traced = pytest.mark.skipif(not can_trace(), reason="needs strace, and the right to trace processes")


def inject(calls: str, fault: str, number: int, line: list[str], log: Path, **more: Any) -> tuple[int, str, bool]:
    """Run `line` with a fault at call `number`; returns status, stderr, and whether it came to that call."""
    trace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        str(log),
        "-e",
        f"trace={calls}",
        "-e",
        f"inject={calls}:{fault}:when={number}",
    ]
    env = environment(PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run([*trace, *line], capture_output=True, text=True, check=False, env=env, timeout=300, **more)
    seen = log.read_text()
    return done.returncode, done.stderr, "(INJECTED)" in seen or "killed by SIGKILL" in seen


@traced
@pytest.mark.parametrize("name", FAULTS)
def test_the_nth_operation_that_fails_leaves_the_old_run_or_the_new_one(name: str, tmp_path: Path) -> None:
    """For every N that there is; the program is the one that publishes and nothing else, to be quick."""
    calls, fault = FAULTS[name]
    root = str(Path(rundir.__file__).parents[1])
    found, number = Counter[str](), 0
    while True:
        number += 1
        place = tmp_path / "place"
        shutil.rmtree(place, ignore_errors=True)
        publish(place / "run", OLD, {})
        log = tmp_path / "log"
        status, _, reached = inject(
            calls, fault, number, [sys.executable, "-S", "-c", PUBLISH, str(place / "run"), root], log
        )
        run = open_run(place / "run")
        state = "new" if run.read("metrics.json") == b"new" else "old"
        assert run.files == list(NEW if state == "new" else OLD)
        assert state == "new" or status != 0
        publish(place / "run", NEW, {}, force=True)
        assert [entry.name for entry in place.iterdir()] == ["run"], f"something is left behind after {name} {number}"
        if not reached:
            break
        found[state] += 1
    print(
        f"{name}: {number - 1} operations; {found['old']} times the old run was left, {found['new']} times the new one"
    )
    assert number > 1 and status == 0


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `m.csv`, two runs of it, and what each forecasts."""
    folder = tmp_path_factory.mktemp("pair")
    write_months(folder / "m.csv", 60)
    for name, more in (("old", ()), ("new", MORE)):
        assert run_program(*TINY, *more, "--out", name, cwd=folder).returncode == 0
        (folder / f"{name}.csv").write_text(run_program("predict", name, cwd=folder).stdout)
    assert (folder / "old.csv").read_text() != (folder / "new.csv").read_text()
    return folder


TINY = (
    "fit",
    "m.csv",
    "--target",
    "price",
    "--from",
    "scratch",
    "--hidden",
    "6",
    "--members",
    "2",
    "--steps",
    "12",
    "-q",
)
MORE = ("--season", "4")


def forecasts(run: Path) -> tuple[int, str, str]:
    """Status, stdout and stderr of `predict`, by the program without its process: the same, and quick."""
    out, said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        status = app.run(["predict", str(run)])
        out.flush()
    out.seek(0)
    return status, out.read(), said.getvalue()


def place_of(pair: Path, folder: Path) -> Path:
    shutil.copytree(pair / "old", folder / "run")
    shutil.copy(pair / "m.csv", folder)
    return folder / "run"


def survives(pair: Path, run: Path, status: int, said: str) -> str:
    """Which run is there after a fit that was to replace the old one; it must be one of them, whole."""
    ended, table, _ = forecasts(run)
    assert ended == 0
    which = {(pair / f"{name}.csv").read_text(): name for name in ("old", "new")}[table]
    assert "Traceback" not in said and len(said.splitlines()) <= 3, said
    assert which == "new" or status != 0
    return which


def through_the_program(pair: Path, folder: Path, name: str, numbers: range) -> Counter[str]:
    calls, fault = FAULTS[name]
    found = Counter[str]()
    for number in numbers:
        place = folder / str(number)
        place.mkdir()
        run = place_of(pair, place)
        line = [*PROGRAM, *TINY, *MORE, "--out", "run", "--force"]
        status, said, reached = inject(calls, fault, number, line, folder / "log", cwd=place)
        found[survives(pair, run, status, said)] += 1
        if "KILL" not in fault and reached:
            assert status in (0, 6), said
        shutil.rmtree(place)
        if not reached:
            break
    return found


@traced
def test_the_whole_program_survives_a_disk_that_fails(pair: Path, tmp_path: Path) -> None:
    print(through_the_program(pair, tmp_path, "an fsync that fails", range(9, 11)))


@traced
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FAULTS if "folder" not in name])
def test_the_whole_program_survives_every_operation_that_fails(name: str, pair: Path, tmp_path: Path) -> None:
    found = through_the_program(pair, tmp_path, name, range(1, 200))
    print(f"{name}, the whole program: {sum(found.values()) - 1} operations, {dict(found)}")
    assert found["old"] and found["new"]


def killed(seed: int, pair: Path, folder: Path) -> str:
    """A fit that is killed at a random moment, then gone on with where it says so, ends as if nothing had been."""
    run = place_of(pair, folder)
    line = [*PROGRAM, *TINY, *MORE, "--out", "run"]
    chance = random.Random(seed)
    with subprocess.Popen([*line, "--force"], cwd=folder, env=environment(), stderr=subprocess.PIPE) as program:
        deadline = time.monotonic() + 120
        while not (run / "checkpoint").exists() and program.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chance.choice([0.0, 0.02, 0.3, 1.0]) * chance.random())
        program.send_signal(signal.SIGKILL)
    which = survives(pair, run, program.returncode, "")
    if which == "old":
        done = run_program(*line[3:], "--resume", *([] if (run / "checkpoint").exists() else ["--force"]), cwd=folder)
        if "holds a run already" not in done.stderr:
            assert done.returncode == 0, done.stderr
    again = run_program(*line[3:], "--force", cwd=folder) if (run / "checkpoint").exists() else None
    assert again is None or again.returncode == 0
    return which


def test_p2_a_kill_at_a_random_moment_loses_nothing(pair: Path, tmp_path: Path) -> None:
    print(killed(1, pair, tmp_path))


@pytest.mark.slow
def test_p2_kills_at_many_random_moments_lose_nothing(pair: Path, tmp_path: Path) -> None:
    found = Counter[str]()
    for seed in range(20):
        (tmp_path / str(seed)).mkdir()
        found[killed(seed, pair, tmp_path / str(seed))] += 1
    print(f"kills at random moments: {dict(found)}")


def flip(pair: Path, folder: Path, count: int) -> Counter[str]:
    """Change bytes of every file of a run, at random places by a fixed seed; cut files short, too."""
    run, right = place_of(pair, folder), (pair / "old.csv").read_text()
    chance, found = random.Random(0), Counter[str]()
    names = sorted(entry.name for entry in run.iterdir())
    for number in range(count):
        file = run / names[number % len(names)]
        whole = file.read_bytes()
        data = bytearray(whole)
        at = chance.randrange(len(data))
        if number % 10 == 9:
            del data[at:]
        else:
            data[at] ^= 1 << chance.randrange(8)
        file.write_bytes(data)
        status, table, said = forecasts(run)
        assert (status == 4 and not table) or (status == 0 and table == right), f"{file.name} at {at}: {status} {said}"
        assert "Traceback" not in said and len(said.splitlines()) <= 3, said
        found["noticed" if status else "harmless"] += 1
        file.write_bytes(whole)
    return found


def test_a_flipped_byte_is_noticed_or_does_no_harm(pair: Path, tmp_path: Path) -> None:
    found = flip(pair, tmp_path, 120)
    assert found["noticed"] > 110


@pytest.mark.slow
def test_thousands_of_flipped_bytes_are_noticed_or_do_no_harm(pair: Path, tmp_path: Path) -> None:
    print(f"flipped bytes: {dict(flip(pair, tmp_path, 6000))}")


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([2**31, 2**70, -0.5, 1e308, float("nan"), "", "x", "../x", "\u202e", [], [1], ["a"], {}, {"a": 1}]),
    st.text(max_size=5),
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into nested JSON; of lists the first three."""
    children = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    return [at] * bool(at) + [path for key, child in children for path in places(child, (*at, key))]


def fuzz(pair: Path, folder: Path, count: int) -> Counter[str]:
    """Anything at all in `run.json`, sealed as a run is: the forecast is refused as the run's fault, or made."""
    run, found = place_of(pair, folder), Counter[str]()
    manifest = json.loads((run / "run.json").read_text())
    paths = [path for path in places(manifest) if path[0] != "sha256"]

    @settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.sampled_from(paths), JUNK, st.booleans())
    def forged(path: tuple[Any, ...], junk: Any, remove: bool) -> None:
        forgery = json.loads(json.dumps(manifest))
        inner = forgery
        for key in path[:-1]:
            inner = inner[key]
        if remove:
            del inner[path[-1]]
        else:
            inner[path[-1]] = junk
        forgery["sha256"] = rundir._seal(forgery)
        (run / "run.json").write_text(json.dumps(forgery))
        status, table, said = forecasts(run)
        assert (status == 4 and not table) or (status == 0 and table), f"{path} = {junk!r}: {status} {said}"
        assert len(said.splitlines()) <= 3, said
        found["refused" if status else "forecast"] += 1

    forged()
    return found


def test_a_forged_manifest_is_refused_or_harmless(pair: Path, tmp_path: Path) -> None:
    assert fuzz(pair, tmp_path, 80)["refused"] > 20


@pytest.mark.slow
def test_thousands_of_forged_manifests_are_refused_or_harmless(pair: Path, tmp_path: Path) -> None:
    print(f"forged manifests: {dict(fuzz(pair, tmp_path, 3000))}")


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b'{"schema_version": NaN}'])
def test_a_manifest_of_any_bytes_is_refused(text: bytes, pair: Path, tmp_path: Path) -> None:
    run = place_of(pair, tmp_path)
    (run / "run.json").write_bytes(text)
    status, table, said = forecasts(run)
    assert (status, table) == (4, "") and re.match("error: .*run.json", said)
