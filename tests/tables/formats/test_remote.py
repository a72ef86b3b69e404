"""Addresses, against servers that run on this machine."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from lstmcast.cli import app
from lstmcast.config import Columns, DataConfig
from lstmcast.deployment.shard_list import find_shards
from lstmcast.errors import DataError, ResourceError, UsageError
from lstmcast.panel.panel import Panel
from lstmcast.tables.formats.remote import is_remote, list_remote_parquet
from lstmcast.tables.read import read_table
from lstmcast.tables.sampling import count_parquet_rows
from tests.conftest import ROOT

SHOPS = sorted(pd.read_csv(ROOT / "sample_data" / "shop.csv")["shop"].unique())
SAMPLES = ROOT / "sample_data"
pytestmark = pytest.mark.filterwarnings("default")
"""Servers and clients of other people warn as they like."""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def website() -> Iterator[str]:
    handler = functools.partial(QuietHandler, directory=str(SAMPLES))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of a bucket with the shops of the sample, a file each."""
    from moto.server import ThreadedMotoServer

    with pytest.MonkeyPatch.context() as patch:
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        _, port = server.get_host_and_port()
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import s3fs

        store = s3fs.S3FileSystem(skip_instance_cache=True)
        store.mkdir("sales")
        frame = pd.read_csv(SAMPLES / "shop.csv").dropna(subset=["sold"])
        for shop, part in frame.groupby("shop"):
            with store.open(f"sales/shops/{shop}.parquet", "wb") as file:
                part.to_parquet(file, index=False)
        with store.open("sales/shops/_hidden.parquet", "wb") as file:
            file.write(b"no data")
        with store.open("sales/price.csv", "wb") as file:
            file.write((SAMPLES / "price.csv").read_bytes())
        yield "s3://sales"
        server.stop()


def test_a_file_of_a_website_is_read_as_the_file_itself(website: str) -> None:
    columns = Columns(("price",))
    table = read_table(f"{website}/price.csv")
    panel = Panel.from_table(table, columns, DataConfig())
    local = Panel.from_table(read_table(SAMPLES / "price.csv"), columns, DataConfig())
    assert panel.values.tolist() == local.values.tolist()


def test_errors_of_a_website_are_errors_of_the_data_or_of_the_network(
    website: str,
) -> None:
    with pytest.raises(DataError, match="there is no file 'http"):
        read_table(f"{website}/nowhere.csv")
    with pytest.raises(ResourceError, match="cannot be read"):
        read_table("http://127.0.0.1:1/price.csv")
    with pytest.raises(ResourceError, match="max.bytes"):
        read_table(f"{website}/price.csv", DataConfig(max_bytes=1000))


@pytest.mark.parametrize(
    "address",
    ["ftp://x/y.csv", "file:///etc/passwd", "local:///x", "simplecache::http://x/y"],
)
def test_other_kinds_of_addresses_are_refused(address: str) -> None:
    assert is_remote(address) or "::" in address
    with pytest.raises((UsageError, DataError)):
        read_table(address)


def test_a_file_and_a_folder_of_a_bucket_are_read(bucket: str) -> None:
    assert len(read_table(f"{bucket}/price.csv")) == 731
    local = pd.read_csv(SAMPLES / "shop.csv").dropna(subset=["sold"])
    table = read_table(f"{bucket}/shops")
    assert len(table) == len(local)
    assert set(table.frame["shop"]) == set(local["shop"])
    assert len(read_table(f"{bucket}/shops/[am]*.parquet")) < len(local)
    with pytest.raises(DataError, match="there are no Parquet files"):
        read_table(f"{bucket}/shops/x*.parquet")
    with pytest.raises(DataError, match="there is no file|no Parquet files"):
        read_table("s3://nowhere/x.csv")


def test_the_files_of_a_bucket_are_listed_with_what_changes_when_they_do(
    bucket: str,
) -> None:
    files = list_remote_parquet(f"{bucket}/shops")
    assert [file.address.rpartition("/")[2] for file in files] == [
        f"{shop}.parquet" for shop in SHOPS
    ]
    assert all(file.size and file.version for file in files)
    shards = find_shards(f"{bucket}/shops/")
    assert [shard.name for shard in shards][:2] == SHOPS[:2]
    assert shards[0].state() == [list(files[0])]


def test_a_sample_of_a_bucket_is_that_of_the_same_files_here(
    bucket: str, tmp_path: Path
) -> None:
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True)
    frame = pd.DataFrame({"id": np.repeat(np.arange(60), 10), "y": np.arange(600.0)})
    for half, part in frame.groupby(frame["y"] % 2):
        file = tmp_path / f"half={half:g}" / "part.parquet"
        file.parent.mkdir()
        part.to_parquet(file, index=False)
        store.put(str(file), f"sales/many/{file.parent.name}/{file.name}")

    local = read_table(tmp_path, sample=300, series=("id",))
    table = read_table(f"{bucket}/many/", sample=300, series=("id",))
    assert table.frame.equals(local.frame) and table.notes == local.notes
    assert set(table.frame["half"]) == {"0", "1"} and len(table) == 300
    pattern = f"{bucket}/many/*/*.parquet"
    assert count_parquet_rows(pattern) == 600
    assert len(read_table(pattern, sample=300, series=("id",))) == 300
    # Without a sample asked for, this little is read whole.
    assert len(read_table(f"{bucket}/many/", sample=0)) == 600
    with pytest.raises(UsageError, match="sample is for a folder of Parquet"):
        read_table(f"{bucket}/shops/airport.parquet", sample=100, series=("shop",))


def test_a_damaged_file_of_a_bucket_is_named_where_a_sample_is_read(
    bucket: str,
) -> None:
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True)
    with store.open("sales/damaged/one.parquet", "wb") as file:
        file.write(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="s3://sales/damaged/one.parquet"):
        read_table(f"{bucket}/damaged/", sample=100, series=("shop",))


def test_a_run_of_a_bucket_is_fitted_and_its_folders_are_processed_shard_by_shard(
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True)
    frame = pd.read_csv(SAMPLES / "shop.csv").dropna(subset=["sold"])
    for shop, part in frame.groupby("shop"):
        with store.open(f"sales/old/{shop}.parquet", "wb") as file:
            part[:-10].to_parquet(file, index=False)
    monkeypatch.chdir(tmp_path)
    fit = ["fit", f"{bucket}/old/", "-t", "sold", "-s", "shop", "-H", "3"]
    assert app.run_command_line([*fit, "--steps", "0", "-q"]) == 0
    run = "runs/old-sold"
    assert capsys.readouterr().out == f"{run}\n"

    newer = f"{bucket}/shops/"
    for command, rows in (("predict", 3), ("detect", 10)):
        words = [command, run, newer, "-o", f"{command}/", "-j", "1"]
        assert app.run_command_line(words) == 0
        results = sorted((tmp_path / command).glob("*.parquet"))
        assert [file.stem for file in results] == SHOPS
        assert all(pq.read_table(file).num_rows == rows for file in results)
    # A shard that is as it was is not processed again.
    capsys.readouterr()
    with store.open("sales/shops/airport.parquet", "wb") as file:
        frame[frame["shop"] == "airport"][:-1].to_parquet(file, index=False)
    words = ["predict", run, newer, "-o", "predict/", "-j", "1"]
    assert app.run_command_line(words) == 0
    assert "5 of 5 shards done, 4 of them done before" in capsys.readouterr().err


def test_a_folder_of_a_bucket_is_forecast_shard_by_shard(
    bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["forecast", f"{bucket}/shops/", "-t", "sold", "-s", "shop", "-H", "3"]
    words += ["-o", "out/", "-j", "1"]
    assert app.run_command_line(words) == 0
    results = sorted((tmp_path / "out").glob("*.parquet"))
    assert [file.stem for file in results][0] == "airport"
    assert all(pq.read_table(file).num_rows == 3 for file in results)
    capsys.readouterr()
    assert app.run_command_line(words) == 0
    assert "5 of 5 shards done, 5 of them done before" in capsys.readouterr().err
