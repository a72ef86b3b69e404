"""Draw the pictures of the pages with lstmcast itself: `python docs/pictures.py`.

Fits two sample files as their reader would and keeps what `--plot` and `report` draw. Takes some
minutes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "docs" / "pictures"
KNOWN_ROWS = 600
"""Lines of price.csv that a run is fitted to before the rest is judged, its header among them."""


def lstmcast(*arguments: object, folder: Path) -> None:
    """Run the program in a folder of its own, on the sample files."""
    subprocess.run(
        [sys.executable, "-m", "lstmcast", *map(str, arguments)], cwd=folder, check=True
    )


def main() -> None:
    """Draw all of them."""
    PLACE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        price, co2 = (
            ROOT / "sample_data" / "price.csv",
            ROOT / "sample_data" / "co2.csv",
        )
        lstmcast(
            "fit", price, "--target", "price", "--out", "price", "-q", folder=folder
        )
        lstmcast(
            "predict",
            "price",
            "-q",
            "--plot",
            PLACE / "forecast.png",
            "-o",
            "forecast.csv",
            folder=folder,
        )
        lstmcast(
            "report", "price", "-q", "--pictures", folder / "report", folder=folder
        )
        (PLACE / "methods.png").write_bytes(
            (folder / "report" / "methods.png").read_bytes()
        )
        line = ("backtest", co2, "--target", "co2", "--windows", 2, "--no-refit", "-q")
        lstmcast(*line, "--plot", PLACE / "backtest.png", folder=folder)

        # What was known before the spike of December, and what is judged.
        lines = price.read_text(encoding="utf-8").splitlines(keepends=True)
        known = folder / "known.csv"
        known.write_text("".join(lines[:KNOWN_ROWS]), encoding="utf-8")
        lstmcast("fit", known, "-t", "price", "-o", "known", "-q", folder=folder)
        line = ("detect", "known", price, "-q", "-o", "judged.csv")
        lstmcast(*line, "--plot", PLACE / "anomalies.png", folder=folder)


if __name__ == "__main__":
    main()
