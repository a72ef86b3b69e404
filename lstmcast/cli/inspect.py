"""`lstmcast inspect`: what the tool sees in a file, and the command line that pins it down."""

from lstmcast.cli.options import Data, DataOptions, ShowOptions

EXAMPLES = """\
lstmcast inspect sample_data/price.csv
lstmcast inspect sales.csv.gz --delimiter ";" --decimal ,"""


def inspect(data: Data, reading: DataOptions, show: ShowOptions) -> None:
    """Show what is seen in DATA, and the options that pin it down."""
