"""The series that each row belongs to, by the columns that name it.

Axes: n rows, N series.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lstmcast.errors import DataError, format_more, shorten_long_parts
from lstmcast.ragged import Bools, Ints
from lstmcast.tables.table import Table


@dataclass(frozen=True)
class SeriesKeys:
    """The key of each series [N] in order of first appearance.

    names, types: of the columns that keys come from; a type is "str" or "int64".
    """

    keys: list[tuple[str, ...]]
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    def label(self, code: int) -> str:
        """A series' key as one text for messages."""
        key = self.keys[code]
        return shorten_long_parts("/".join(key)) if key else "the series"

    def labels(self) -> Sequence[str]:
        """The label of every series, each computed only when it is looked up."""
        return _LazyLabels(self)


@dataclass(frozen=True)
class _LazyLabels(Sequence[str]):
    keys: SeriesKeys

    def __len__(self) -> int:
        return len(self.keys.keys)

    def __getitem__(self, code: Any) -> Any:
        return self.keys.label(code)


def factorize_keys(table: Table, names: Sequence[str]) -> tuple[Ints, SeriesKeys]:
    """Return the series code of each row [n], and the keys; DataError where a key is missing."""
    if not names:
        no_codes = np.broadcast_to(np.int64(0), len(table))
        return no_codes, SeriesKeys([()])

    # Of each key column: the code of each row, the text of each code, the type of the column.
    columns = [table.codes(name) for name in names]
    parts, uniques, types = zip(*columns, strict=True)
    for name, codes in zip(names, parts, strict=True):
        missing = codes < 0
        _require_no_missing_key(table, missing, name)

    keys: list[tuple[str, ...]]
    if len(names) == 1:
        keys = [(text,) for text in uniques[0]]
        return parts[0], SeriesKeys(keys, tuple(names), types)

    combined = _combine_codes(parts, uniques)
    # The key of a series is read from the first of its rows.
    _, first_rows = np.unique(combined, return_index=True)
    texts = []
    for codes, unique in zip(parts, uniques, strict=True):
        first_codes = codes[first_rows].tolist()
        texts.append([unique[code] for code in first_codes])

    keys = list(zip(*texts, strict=True))
    return combined, SeriesKeys(keys, tuple(names), types)


def _combine_codes(parts: Sequence[Ints], uniques: Sequence[Sequence[str]]) -> Ints:
    """One code [n] for each combination of the codes of several columns, by first appearance."""
    # Factorize after each column, so that the combined codes cannot overflow int64.
    combined = parts[0]
    for codes, unique in zip(parts[1:], uniques[1:], strict=True):
        count = np.int64(len(unique))
        pairs = combined * count + codes
        new_codes, _ = pd.factorize(pairs)
        combined = new_codes.astype(np.int64)
    return combined


def _require_no_missing_key(table: Table, missing: Bools, name: str) -> None:
    if not missing.any():
        return

    place = table.locate(int(missing.argmax()))
    more = format_more(int(missing.sum()))
    raise DataError(
        f"{place}: column {name!r}: the series has no name{more}",
        "name every series",
    )
