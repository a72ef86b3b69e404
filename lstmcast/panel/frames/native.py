"""Results in the caller's own kind of frame."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa


def make_frame(rows: Mapping[str, Mapping[str, Any]], index_name: str) -> pd.DataFrame:
    """Return a frame of pandas with a row for each name and a column for each figure."""
    frame = pd.DataFrame.from_dict(dict(rows), orient="index")
    frame.index.name = index_name
    return frame


def to_native(frame: pd.DataFrame, kind: str | ModuleType) -> Any:
    """Return a frame of pandas as one of another library, such as polars or pyarrow.

    kind: as in `accept.AcceptedData`. Missing numbers are null where the library has nulls.
    """
    if isinstance(kind, str):
        return frame
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata(None)
    if kind is pa:
        return table
    return nw.from_arrow(table, backend=kind).to_native()
