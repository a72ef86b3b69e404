"""The crash harness: the Nth disk operation fails, or the process dies there, for N = 1, 2, 3...

After each the old run or the new one loads, never a mix; nothing is lost, and no message has more
than three lines. The counts are in docs/reliability.md: `make reliability` runs all of it and
writes them there.
"""

import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import filelock
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lstmcast.runs import directory
from lstmcast.runs.directory import open_run
from lstmcast.runs.publish import publish_run
from tests.cli.conftest import PROGRAM, environment, run_program, write_months
from tests.faults.conftest import run_inside, wait_for
from tests.faults.figures import record

TINY = (
    "fit",
    "m.csv",
    "--target=price",
    "--from=scratch",
    "--hidden=6",
    "--members=2",
    "--steps=12",
    "-q",
)
MORE = ("--season", "4")
OLD, NEW = (
    {"metrics.json": b"old"},
    {"metrics.json": b"new", "model.safetensors": b"x" * 5000},
)
PUBLISH = """
import sys
sys.path[:0] = sys.argv[2:]
from lstmcast.runs.publish import publish_run
new = {"metrics.json": b"new", "model.safetensors": b"x" * 5000}
publish_run(sys.argv[1], new, {}, force=True, previous="replaced")
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
    "a kill at a file or folder opened": ("mkdir,openat", "signal=KILL"),
}
SLOWEST = "a kill at a file or folder opened"


def can_trace() -> bool:
    return (
        shutil.which("strace") is not None
        and subprocess.run(["strace", "-qq", "true"], check=False).returncode == 0
    )


traced = pytest.mark.skipif(
    not can_trace(), reason="needs strace, and the right to trace processes"
)


def inject(
    calls: str, fault: str, number: int, line: list[str], log: Path, **more: Any
) -> tuple[int, str, bool]:
    """Run `line` with a fault at call `number`; returns status, stderr, whether it got there."""
    trace = ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={calls}"]
    trace += ["-e", f"inject={calls}:{fault}:when={number}"]
    env = environment(PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        [*trace, *line],
        capture_output=True,
        text=True,
        check=False,
        env=env,
        timeout=300,
        **more,
    )
    seen = log.read_text()
    reached = any(
        mark in seen for mark in ("(INJECTED)", "killed by SIGKILL", "--- SIGTERM")
    )
    return done.returncode, done.stderr, reached


@traced
@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=[pytest.mark.slow] * (one == SLOWEST)) for one in FAULTS],
)
def test_the_nth_operation_that_fails_leaves_the_old_run_or_the_new_one(
    name: str, tmp_path: Path
) -> None:
    """For every N that there is; to be quick, the program publishes and does nothing else."""
    calls, fault = FAULTS[name]
    root = str(Path(directory.__file__).parents[2])
    # Python without its packages starts with few calls; locks need this one.
    packages = str(Path(filelock.__file__).parents[1])
    found, number = Counter[str](), 0
    while True:
        number += 1
        place = tmp_path / "place"
        shutil.rmtree(place, ignore_errors=True)
        publish_run(place / "run", OLD, {})
        log = tmp_path / "log"
        status, _, reached = inject(
            calls,
            fault,
            number,
            [sys.executable, "-S", "-c", PUBLISH, str(place / "run"), root, packages],
            log,
        )
        run = open_run(place / "run")
        state = "new" if run.read("metrics.json") == b"new" else "old"
        assert run.files == list(NEW if state == "new" else OLD)
        if state == "new":
            assert open_run(place / "run" / "previous").read("metrics.json") == b"old"
        assert state == "new" or status != 0
        publish_run(place / "run", NEW, {}, force=True)
        assert [entry.name for entry in place.iterdir()] == ["run"], (
            f"something is left behind after {name} {number}"
        )
        if not reached:
            break
        found[state] += 1
    record(
        f"publishing a run: {name}",
        {f"left the {which} run": count for which, count in found.items()},
    )
    assert number > 1 and status == 0


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `m.csv`, two runs of it, and what each forecasts."""
    folder = tmp_path_factory.mktemp("pair")
    write_months(folder / "m.csv", 60)
    for name, more in (("old", ()), ("new", MORE)):
        assert run_program(*TINY, *more, "--out", name, cwd=folder).returncode == 0
        (folder / f"{name}.csv").write_text(
            run_inside("predict", name, cwd=folder).stdout
        )
    assert (folder / "old.csv").read_text() != (folder / "new.csv").read_text()
    return folder


def place_of(pair: Path, folder: Path) -> Path:
    shutil.copytree(pair / "old", folder / "run")
    shutil.copy(pair / "m.csv", folder)
    return folder / "run"


def survives(pair: Path, run: Path, status: int, stderr: str) -> str:
    """Which run is there after a fit that was to replace the old one; it must be a whole one."""
    done = run_inside("predict", run, cwd=pair)
    assert done.returncode == 0, done.stderr
    which = {(pair / f"{name}.csv").read_text(): name for name in ("old", "new")}[
        done.stdout
    ]
    assert "Traceback" not in stderr and len(stderr.splitlines()) <= 3, stderr
    assert which == "new" or status != 0
    return which


def through_the_program(
    pair: Path, folder: Path, name: str, numbers: range
) -> Counter[str]:
    calls, fault = FAULTS[name]
    found = Counter[str]()
    for number in numbers:
        place = folder / str(number)
        place.mkdir()
        run = place_of(pair, place)
        line = [*PROGRAM, *TINY, *MORE, "--out", "run", "--force"]
        status, stderr, reached = inject(
            calls, fault, number, line, folder / "log", cwd=place
        )
        which = survives(pair, run, status, stderr)
        if not reached:
            assert (which, status) == ("new", 0), stderr
            break
        found[which] += 1
        assert "KILL" in fault or status in (0, 6), stderr
        shutil.rmtree(place)
    return found


@traced
def test_a_run_is_on_the_disk_before_it_is_at_its_place_and_its_manifest_last(
    pair: Path, tmp_path: Path
) -> None:
    place_of(pair, tmp_path)
    line = [*PROGRAM, *TINY, *MORE, "--out", "run", "--force"]
    trace = [
        "strace",
        "-f",
        "-qq",
        "-y",
        "-o",
        "log",
        "-e",
        f"trace=write,fsync,{RENAMES}",
    ]
    subprocess.run(
        [*trace, *line],
        cwd=tmp_path,
        env=environment(),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    calls = [
        call
        for call in map(seen_call, (tmp_path / "log").read_text().splitlines())
        if call
    ]
    at = next(number for number, (call, *_) in enumerate(calls) if call == "exchange")
    before = calls[calls.index(("write", f".run.new/{directory.RUN_FILES[0]}")) : at]
    writes = [name for call, name in before if call == "write"]
    assert {Path(name).name for name in writes} == {
        directory.MANIFEST_FILE,
        *directory.RUN_FILES,
    }
    assert writes[-1] == f".run.new/{directory.MANIFEST_FILE}"
    expected = [
        one
        for name in dict.fromkeys(writes)
        for one in (("write", name), ("fsync", name))
    ]
    assert list(dict.fromkeys(before)) == [*expected, ("fsync", ".run.new")]
    assert calls[at + 1] == ("fsync", "")


def seen_call(line: str) -> tuple[str, str] | None:
    """A traced call about the place of the run: its name, and the file in the folder of the run."""
    if "renameat2(" in line and "/run" in line:
        return "exchange", "run"
    found = re.search(
        r"(write|fsync)\(\d+<[^>]*?test_a_run_is_on_the_disk[^/]*/?([^>]*)>", line
    )
    return (found[1], found[2]) if found and not found[2].startswith("run") else None


@traced
def test_the_whole_program_survives_a_disk_that_fails(
    pair: Path, tmp_path: Path
) -> None:
    found = through_the_program(pair, tmp_path, "an fsync that fails", range(8, 9))
    assert found["old"] == 1


@traced
@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FAULTS if name != SLOWEST])
def test_the_whole_program_survives_every_operation_that_fails(
    name: str, pair: Path, tmp_path: Path
) -> None:
    found = through_the_program(pair, tmp_path, name, range(1, 200))
    record(
        f"a whole fit: {name}",
        {f"left the {which} run": count for which, count in found.items()},
    )
    assert found["old"]


def killed(seed: int, pair: Path, folder: Path) -> str:
    """A fit that is killed at a random moment, then gone on with, ends as if nothing had been."""
    run = place_of(pair, folder)
    line = (*TINY, *MORE, "--out", "run", "--checkpoint-every", "0.02s")
    chance = random.Random(seed)
    with subprocess.Popen(
        [*PROGRAM, *line, "--force"],
        cwd=folder,
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as program:
        # Either it has only begun, or something has been learnt.
        first = chance.choice(["checkpoint", "checkpoint/*.safetensors"])
        wait_for(lambda: any(run.glob(first)) or program.poll() is not None)
        time.sleep(chance.choice([0.0, 0.02, 0.3, 2.0]) * chance.random())
        program.send_signal(signal.SIGKILL)
    which = survives(pair, run, program.returncode, "")
    if which == "new":
        return "after which the new run was there"
    resumable = (run / "checkpoint" / "run.json").exists()
    states = len(list((run / "checkpoint").glob("*.safetensors")))
    done = run_program(*line, "--resume" if resumable else "--force", cwd=folder)
    assert survives(pair, run, done.returncode, done.stderr) == "new"
    weights, expected = (place / "model.safetensors" for place in (run, pair / "new"))
    assert weights.read_bytes() == expected.read_bytes()
    assert {entry.name for entry in folder.iterdir()} == {"m.csv", "run"}
    assert not (run / "checkpoint").exists()
    how = "a new fit"
    if resumable:
        how = "--resume from kept states" if states else "--resume from the start"
    return f"after which the old run was there and {how} made the same bytes"


def test_p2_a_kill_at_a_random_moment_loses_nothing(pair: Path, tmp_path: Path) -> None:
    assert killed(1, pair, tmp_path)


@pytest.mark.slow
def test_p2_kills_at_many_random_moments_lose_nothing(
    pair: Path, tmp_path: Path
) -> None:
    found = Counter[str]()
    for seed in range(32):
        (tmp_path / str(seed)).mkdir()
        found[killed(seed, pair, tmp_path / str(seed))] += 1
    record("kill -9 of a fit at a random moment", found)
    assert any("kept states" in how for how in found)


def flip(pair: Path, folder: Path, count: int) -> Counter[str]:
    """Change random bytes of every file of a run, with a fixed seed; cut files short, too."""
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
        done = run_inside("predict", run, cwd=folder)
        status, table, stderr = done.returncode, done.stdout, done.stderr
        assert (status == 4 and not table) or (status == 0 and table == right), (
            f"{file.name} at {at}: {status} {stderr}"
        )
        assert "Traceback" not in stderr and len(stderr.splitlines()) <= 3, stderr
        found[
            "refused by name"
            if file.name in stderr
            else "refused"
            if status
            else "without any effect"
        ] += 1
        file.write_bytes(whole)
    return found


def test_a_flipped_byte_is_noticed_or_does_no_harm(pair: Path, tmp_path: Path) -> None:
    found = flip(pair, tmp_path, 120)
    assert found["refused by name"] > 110


@pytest.mark.slow
def test_thousands_of_flipped_bytes_are_noticed_or_do_no_harm(
    pair: Path, tmp_path: Path
) -> None:
    record("a byte of a run flipped, or its end cut off", flip(pair, tmp_path, 4000))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(
        [
            2**31,
            2**70,
            -0.5,
            1e308,
            float("nan"),
            "",
            "x",
            "../x",
            "\u202e",
            [],
            [1],
            ["a"],
            {},
            {"a": 1},
        ]
    ),
    st.text(max_size=5),
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path into nested JSON; of lists the first three."""
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value[:3])
        if isinstance(value, list)
        else ()
    )
    return [at] * bool(at) + [
        path for key, child in children for path in places(child, (*at, key))
    ]


def fuzz(pair: Path, folder: Path, count: int) -> Counter[str]:
    """Put anything into a sealed `run.json`: the run is refused, or there is a forecast."""
    run, found = place_of(pair, folder), Counter[str]()
    manifest = json.loads((run / "run.json").read_text())
    paths = [path for path in places(manifest) if path[0] != "sha256"]

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
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
        forgery["sha256"] = directory.manifest_digest(forgery)
        (run / "run.json").write_text(json.dumps(forgery))
        done = run_inside("predict", run, cwd=folder)
        status, table, stderr = done.returncode, done.stdout, done.stderr
        assert (status == 4 and not table) or (status == 0 and table), (
            f"{path} = {junk!r}: {status} {stderr}"
        )
        assert len(stderr.splitlines()) <= 3, stderr
        found[
            "refused"
            if status
            else "forecast from, since it makes no difference or a possible one"
        ] += 1

    forged()
    return found


def test_a_forged_manifest_is_refused_or_harmless(pair: Path, tmp_path: Path) -> None:
    assert fuzz(pair, tmp_path, 80)["refused"] > 20


@pytest.mark.slow
def test_thousands_of_forged_manifests_are_refused_or_harmless(
    pair: Path, tmp_path: Path
) -> None:
    record("a value of run.json forged, and sealed again", fuzz(pair, tmp_path, 2000))


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b'{"schema_version": NaN}'],
)
def test_a_manifest_of_any_bytes_is_refused(
    text: bytes, pair: Path, tmp_path: Path
) -> None:
    run = place_of(pair, tmp_path)
    (run / "run.json").write_bytes(text)
    done = run_inside("predict", run, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (4, "") and re.match(
        "error: .*run.json", done.stderr
    )


def fuzz_tables(folder: Path, count: int, command: tuple[str, ...]) -> Counter[str]:
    """Spoil the bytes of a table: it is refused in few words, or read."""
    good = write_months(folder / "m.csv", 40).read_bytes()
    found = Counter[str]()
    pieces = st.one_of(
        st.binary(max_size=6),
        st.sampled_from(
            [
                b",",
                b"\n",
                b'"',
                b"\r",
                b"\x00",
                b";",
                b"\t",
                b"NaN",
                b"1e400",
                b"-",
                b"\xff",
                b"=1+1",
            ]
        ),
        st.sampled_from(
            [
                good[:100],
                good[50:],
                b"," * 50,
                b'"' * 3,
                b"2013-02-30",
                b"12:00",
                b"\x1f\x8b",
                b"PAR1",
            ]
        ),
    )
    edits = st.lists(
        st.tuples(st.integers(0, len(good)), st.integers(0, 40), pieces),
        min_size=1,
        max_size=3,
    )

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(edits)
    def spoiled(changes: list[tuple[int, int, bytes]]) -> None:
        data = good
        for at, cut, piece in changes:
            data = data[:at] + piece + data[at + cut :]
        (folder / "x.csv").write_bytes(data)
        done = run_inside(*command, cwd=folder)
        assert done.returncode in (0, 2, 3), done.stderr
        assert "Traceback" not in done.stderr
        if done.returncode:
            assert not done.stdout and len(done.stderr.splitlines()) <= 3, done.stderr
        found["refused" if done.returncode else "read"] += 1

    spoiled()
    return found


INSPECT = ("inspect", "x.csv", "--target", "price", "-q", "--json")
FORECAST = ("forecast", "x.csv", "--target", "price", "-q")


def test_a_spoiled_table_is_refused_or_read(tmp_path: Path) -> None:
    assert fuzz_tables(tmp_path, 40, INSPECT)["refused"] > 10


@pytest.mark.slow
def test_thousands_of_spoiled_tables_are_refused_or_read(tmp_path: Path) -> None:
    record(
        "a CSV file with spoiled bytes, inspected", fuzz_tables(tmp_path, 3000, INSPECT)
    )
    record(
        "a CSV file with spoiled bytes, forecast", fuzz_tables(tmp_path, 150, FORECAST)
    )
