"""`lstmcast serve` as a process: its address, its end, and what keeps it from beginning."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lstmcast import extras
from lstmcast.extras import install_command
from tests.cli.conftest import PROGRAM, Program, environment, run_program
from tests.cli.test_contract_runs import check


def heeding() -> None:
    """Heed Ctrl-C, whatever a shell made of it for jobs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def server(fitted: Path) -> Iterator[subprocess.Popen[str]]:
    line = [*PROGRAM, "serve", "runs/old-price", "--port", "0"]
    pipes = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "preexec_fn": heeding,
    }
    with subprocess.Popen(
        line, cwd=fitted, env=environment(), text=True, **pipes
    ) as program:  # type: ignore[call-overload]
        yield program
        program.kill()


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_it_prints_its_address_answers_and_ends_on_a_signal(
    number: signal.Signals,
    status: int,
    word: str,
    server: subprocess.Popen[str],
    fitted: Path,
) -> None:
    assert server.stdout and server.stderr
    url = server.stdout.readline().strip()
    assert url.startswith("http://127.0.0.1:")
    request = urllib.request.Request(
        f"{url}/forecast", (fitted / "new.csv").read_bytes(), {"Accept": "text/csv"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read().decode()
    if number == signal.SIGTERM:
        assert (
            text
            == run_program(
                "predict", "runs/old-price", "new.csv", "-q", cwd=fitted
            ).stdout
        )
    server.send_signal(number)
    assert server.wait(5) == status
    assert server.stderr.read() == f"serving 'runs/old-price'; Ctrl-C ends it\n{word}\n"


def test_several_runs_are_served_by_name_and_the_page_lists_them(
    fitted: Path, quickly: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from fastapi.testclient import TestClient

    from lstmcast.deployment import serve_server

    pages: list[str] = []

    def visit(app: Any, _: socket.socket) -> None:
        with TestClient(app, base_url="http://localhost") as client:
            pages.append(client.get("/").text)

    monkeypatch.setattr(serve_server, "run_server", visit)
    shutil.copytree(fitted / "runs/old-price", tmp_path / "other")
    runs = ("runs/old-price", str(tmp_path / "other"))
    done = quickly("serve", *runs, "--port", 0, "--json", cwd=fitted)
    content = json.loads(done.stdout)
    check(content, "serve")
    assert content["run"] == "runs/old-price"
    assert content["runs"] == {"old-price": runs[0], "other": runs[1]}
    assert done.stderr == f"serving {runs[0]!r}, {runs[1]!r}; Ctrl-C ends it\n"
    assert "<h2>old-price</h2>" in pages[0] and "<h2>other</h2>" in pages[0]


def test_two_runs_of_one_name_are_refused_before_anything_is_served(
    fitted: Path, quickly: Program, tmp_path: Path
) -> None:
    shutil.copytree(fitted / "runs/old-price", tmp_path / "old-price")
    done = quickly("serve", "runs/old-price", tmp_path / "old-price", cwd=fitted)
    assert (done.returncode, done.stdout) == (2, "")
    assert "2 runs would be served as /runs/old-price" in done.stderr


def test_a_port_in_use_is_an_error_of_one_line_and_a_hint(
    fitted: Path, quickly: Program
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = quickly("serve", "runs/old-price", "--port", port, cwd=fitted)
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.splitlines() == [
        f"error: cannot listen at 127.0.0.1:{port}: Address already in use",
        "  take another --port; 0 finds a free one",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("runs/none",), 4, "no run at 'runs/none'"),
        (("runs/old-price", "--port", 70000), 2, "--port 70000 is out of range"),
        (
            ("runs/old-price", "--max-request", "many"),
            2,
            "--max-request 'many' is not a size",
        ),
    ],
)
def test_what_cannot_be_served_is_an_error(
    arguments: tuple[object, ...],
    status: int,
    message: str,
    fitted: Path,
    quickly: Program,
) -> None:
    done = quickly("serve", *arguments, cwd=fitted)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr and len(done.stderr.splitlines()) <= 3


def test_who_listens_to_a_network_is_warned_and_json_has_the_address(
    fitted: Path, quickly: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from lstmcast.deployment import serve_server

    monkeypatch.setattr(serve_server, "run_server", lambda *_: None)
    bare = quickly("serve", "runs/old-price", "--host", "0.0.0.0", cwd=fitted)
    assert (bare.returncode, bare.stdout) == (2, "")
    assert "--host 0.0.0.0 lets others ask" in bare.stderr
    assert "--token-file token" in bare.stderr
    (tmp_path / "token").write_text("0123456789abcdef\n")
    done = quickly(
        "serve",
        "runs/old-price",
        "--host",
        "0.0.0.0",
        "--port",
        0,
        "--token-file",
        tmp_path / "token",
        "--json",
        "-q",
        cwd=fitted,
    )
    content = json.loads(done.stdout)
    check(content, "serve")
    assert content["url"].startswith("http://0.0.0.0:")
    assert (
        done.stderr
        == f"warning: others reach {content['url']}, and what they send is not encrypted\n"
    )


def test_without_the_extra_it_says_what_to_install(
    fitted: Path, quickly: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    monkeypatch.delitem(sys.modules, "prometheus_client", raising=False)
    done = quickly("serve", "runs/old-price", cwd=fitted)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"  {install_command('serve')}"
