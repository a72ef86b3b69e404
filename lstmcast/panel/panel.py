"""A validated panel: series on one regular time axis as flat arrays, without padding. Knows neither files nor torch.

Axes: N series, T[i] steps of series i (flat: all series end to end), Cp past, Cf known-future, Cs
static covariates, K windows, H horizon, Q quantiles. An origin is the index of the last known step
within its series.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from lstmcast.config import Columns, DataConfig, Duplicates, Fill
from lstmcast.errors import DataError
from lstmcast.panel.forecast_table import quantile_columns
from lstmcast.ragged import Floats, Ints, concat_ranges, offsets_from_lengths
from lstmcast.timeaxis.axis import TimeAxis

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.tables.table import Table

ColumnNames = str | Sequence[str] | None
COLUMN_ROLES = ("target", "time", "series", "past", "future", "static")


class PanelOptions(TypedDict, total=False):
    """How a frame or a table is to be taken: roles of columns, then how it is read."""

    target: ColumnNames
    time: ColumnNames
    series: ColumnNames
    past: ColumnNames
    future: ColumnNames
    static: ColumnNames
    freq: str | None
    date_format: str | None
    duplicates: Duplicates
    tz: str | None
    fill: Fill
    resample: str | None
    like: "Panel | None"


@dataclass(frozen=True, eq=False)
class Panel:
    """N series on one time axis; NaN is a missing value or a missing row.

    key_names, keys: output key columns and the key of each series, in the input's order of first
    appearance. values [sum T] and offsets [N+1]: series i is values[offsets[i]:offsets[i+1]]; start
    [N]: ordinal of its first step. past [sum T, Cp]; future [sum (T + ahead), Cf] with
    future_offsets [N+1], whose rows beyond the target's end are the known future; static [N, Cs].
    encodings: categories of text covariates. notes: what is worth saying.
    """

    columns: Columns
    axis: TimeAxis
    key_names: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    values: Floats
    offsets: Ints
    start: Ints
    past: Floats
    future: Floats
    future_offsets: Ints
    static: Floats
    encodings: dict[str, list[str]]
    past_names: tuple[str, ...] = ()
    future_names: tuple[str, ...] = ()
    static_names: tuple[str, ...] = ()
    key_types: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def from_frame(
        cls,
        frame: "pd.DataFrame",
        *,
        target: ColumnNames = None,
        time: ColumnNames = None,
        series: ColumnNames = (),
        past: ColumnNames = (),
        future: ColumnNames = (),
        static: ColumnNames = (),
        freq: str | None = None,
        date_format: str | None = None,
        duplicates: Duplicates = "error",
        tz: str | None = None,
        fill: Fill = "none",
        resample: str | None = None,
        like: "Panel | None" = None,
    ) -> "Panel":
        """Validate a frame, which is left unchanged; `time` is found where it is not given (a DatetimeIndex, too).

        like: the panel a run was trained on (`forecaster.panel`), whose roles, frequency and
        categories are kept; then no role need be given. Raises DataError where the frame cannot be
        used, UsageError where a column has two roles or there is no target, RunError where the type
        of a column is not that of `like`.
        """
        options = PanelOptions(
            target=target, time=time, series=series, past=past, future=future, static=static, freq=freq,
            date_format=date_format, duplicates=duplicates, tz=tz, fill=fill, resample=resample, like=like,
        )  # fmt: skip
        from lstmcast.tables.table import (
            Table,
        )  # what reads data is slow to import, and a saved panel needs none of it

        return cls._from_options(
            Table(_with_index_as_column(frame, _to_name_tuple(time)).rename(columns=str), "frame"),
            options,
        )

    @classmethod
    def from_arrow(cls, table: Any, **options: Unpack[PanelOptions]) -> "Panel":
        """Validate a pyarrow Table, or what else speaks Arrow's C stream (a reader, a polars frame).

        options: as of `from_frame`. Raises what `from_frame` raises; DataError too where a column
        is there twice.
        """
        import pyarrow as pa

        from lstmcast.tables.table import Table

        arrow = table if isinstance(table, pa.Table) else pa.table(table)
        double = [name for name, count in Counter(arrow.column_names).items() if count > 1]
        if double:
            raise DataError(
                f"table: column {double[0]!r} is there more than once", "rename one of them"
            )
        return cls._from_options(Table(arrow, "table"), options)

    @classmethod
    def _from_options(cls, table: "Table", options: PanelOptions) -> "Panel":
        like, roles = (
            options.get("like"),
            [_to_name_tuple(cast(ColumnNames, options.get(role))) for role in COLUMN_ROLES],
        )
        columns = like.columns if like and not any(roles) else Columns(*roles)
        reading = {
            name: value for name, value in options.items() if name not in (*COLUMN_ROLES, "like")
        }
        return cls.from_table(table, columns, DataConfig(**reading), like)  # type: ignore[arg-type]

    @classmethod
    def from_table(
        cls,
        table: "Table",
        columns: Columns,
        config: DataConfig = DataConfig(),  # noqa: B008
        like: "Panel | None" = None,
    ) -> "Panel":
        """Validate a table. With `like`, the panel a run was trained on: the same frequency and categories are kept."""
        from lstmcast.ingest.assemble import assemble_panel_fields

        axis, encodings = (like.axis, like.encodings) if like else (None, None)
        return cls(**assemble_panel_fields(table, columns, config, axis, encodings))

    @property
    def n_series(self) -> int:
        """Number of series N."""
        return len(self.keys)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def lengths(self) -> Ints:
        """Steps T of each series, int64 [N]."""
        return np.diff(self.offsets)

    @property
    def ahead(self) -> Ints:
        """Steps beyond the target's end whose known-future covariates are known, int64 [N]."""
        return np.diff(self.future_offsets) - self.lengths

    def series(self, i: int) -> Floats:
        """Values of series i, a view."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def head(self, lengths: Ints) -> "Panel":
        """Keep the first lengths[i] steps of each series; known-future rows stay; series with none left are dropped."""
        ends = np.clip(np.asarray(lengths, dtype=np.int64), 0, self.lengths)
        return self._slice_steps(np.flatnonzero(ends > 0), np.zeros_like(ends), ends)

    def tail(self, steps: int) -> "Panel":
        """Keep the last `steps` (at least 1) steps of each series, and all of its known future."""
        return self._slice_steps(
            np.arange(len(self)), np.maximum(self.lengths - max(steps, 1), 0), self.lengths
        )

    def select(self, index: Ints) -> "Panel":
        """The series of these indices, in their order."""
        return self._slice_steps(
            np.asarray(index, dtype=np.int64), np.zeros_like(self.lengths), self.lengths
        )

    def split(self, cutoff: Any) -> tuple["Panel", "Panel"]:
        """Steps up to and including the stamp `cutoff`, and steps after it; series with none left are dropped."""
        steps = np.clip(self.axis.floor(cutoff) - self.start + 1, 0, self.lengths)
        later = self._slice_steps(np.flatnonzero(steps < self.lengths), steps, self.lengths)
        return self.head(steps), later

    def with_known(
        self, names: Sequence[str], table: Callable[[Ints], Floats], ahead: int
    ) -> "Panel":
        """The panel with covariates `names` that `table` knows at any consecutive ordinals [n]: their columns, [n, C].

        They reach at least `ahead` steps after each series. What else is known ahead stays as it
        is, missing (NaN) where only they reach.
        """
        total = np.maximum(np.diff(self.future_offsets), self.lengths + ahead)
        offsets = offsets_from_lengths(total)
        first, width = int(self.start.min()), self.future.shape[1]
        known = table(np.arange(first, int((self.start + total).max())))
        future = np.full((int(offsets[-1]), width + known.shape[1]), np.nan)
        future[concat_ranges(offsets[:-1], np.diff(self.future_offsets)), :width] = self.future
        future[:, width:] = known[concat_ranges(self.start - first, total)]
        return replace(
            self, future=future, future_offsets=offsets, future_names=(*self.future_names, *names)
        )

    def _slice_steps(self, index: Ints, begin: Ints, end: Ints) -> "Panel":
        """Series `index` [n], steps begin[i] to end[i] of each [N], with the known future to its end."""
        begin, end = begin[index], end[index]
        rows = concat_ranges(self.offsets[index] + begin, end - begin)
        future = np.diff(self.future_offsets)[index] - begin
        return replace(
            self,
            keys=tuple(self.keys[i] for i in index.tolist()),
            values=self.values[rows],
            offsets=offsets_from_lengths(end - begin),
            start=self.start[index] + begin,
            past=self.past[rows],
            future=self.future[concat_ranges(self.future_offsets[index] + begin, future)],
            future_offsets=offsets_from_lengths(future),
            static=self.static[index],
        )

    def align(self, other: "Panel") -> Ints:
        """Index of each of my keys in `other`, int64 [N]; -1 where it is absent."""
        place = {key: i for i, key in enumerate(other.keys)}
        return np.array([place.get(key, -1) for key in self.keys], dtype=np.int64)

    def forecast_frame(
        self,
        series: Ints,
        origins: Ints,
        quantiles: Floats,
        levels: Sequence[float],
        *,
        probability: bool = False,
    ) -> "pd.DataFrame":
        """The forecast table: keys, time, `forecast` (the median) and a column a quantile; one row a window and step.

        series [K], origins [K], quantiles [K, H, Q] at `levels` [Q]. A 0/1 target's median goes
        into `probability`.
        """
        import pandas as pd

        return pd.DataFrame(
            self.forecast_columns(series, origins, quantiles, levels, probability=probability)
        )

    def forecast_columns(
        self,
        series: Ints,
        origins: Ints,
        quantiles: Floats,
        levels: Sequence[float],
        *,
        probability: bool = False,
    ) -> dict[str, Any]:
        """The columns of `forecast_frame`, each [K * H]; texts as an array of objects, typed stamps as an index."""
        horizon = quantiles.shape[1]
        last = self.start[series] + np.asarray(origins)
        ordinals = (last[:, None] + np.arange(1, horizon + 1)).ravel()
        columns = {
            name: values.repeat(horizon) for name, values in self.key_columns(series).items()
        }
        unique, inverse = np.unique(ordinals, return_inverse=True)
        columns[self.axis.name] = self.axis.stamps(unique).take(inverse)
        return columns | quantile_columns(quantiles, levels, probability=probability)

    def context_frame(self, values: Floats, name: str) -> "pd.DataFrame":
        """A table of what belongs to the last L steps of each series [N, L]: keys, time, `name`."""
        import pandas as pd

        back = np.arange(1 - values.shape[1], 1) + self.lengths[:, None] - 1
        series, place = np.nonzero(back >= 0)
        columns = self.key_columns(series)
        columns[self.axis.name] = self.axis.stamps(self.start[series] + back[series, place])
        return pd.DataFrame({**columns, name: values[series, place]})

    def key_columns(self, series: Ints) -> dict[str, Any]:
        """Key columns of the given series [K], of the type that they had in the input."""
        columns: dict[str, Any] = {}
        for place, name in enumerate(self.key_names):
            kind = self.key_types[place] if place < len(self.key_types) else "str"
            found = np.array([key[place] for key in self.keys], dtype=object)[
                np.asarray(series, dtype=np.int64)
            ]
            columns[name] = found if kind == "str" else _cast_keys(found, kind)
        return columns

    def fingerprint(self) -> str:
        """SHA-256 over keys, times, values and covariates, the same however a table of these is written or ordered."""
        axis = [self.axis.name, asdict(self.axis.grid), self.axis.form.zone]
        order = sorted(range(len(self)), key=self.keys.__getitem__)
        panel = self if order == list(range(len(self))) else self.select(np.array(order))
        digest = hashlib.sha256(
            json.dumps([axis, self.key_names, panel.keys, self.covariates]).encode()
        )
        for array in (panel.offsets, panel.start, panel.future_offsets):
            digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
        for measured in (panel.values, panel.past, panel.future, panel.static):
            canonical = np.where(np.isnan(measured), np.nan, measured) + 0.0  # one NaN, one zero
            digest.update(np.ascontiguousarray(canonical, dtype="<f8").tobytes())
        return digest.hexdigest()

    @property
    def covariates(self) -> dict[str, list[str]]:
        """Names of the covariates by role."""
        return {
            "past": list(self.past_names),
            "future": list(self.future_names),
            "static": list(self.static_names),
        }


def _cast_keys(texts: NDArray[Any], kind: str) -> Any:
    import pandas as pd

    return pd.Index(texts, dtype="str").astype(kind)


def _to_name_tuple(given: ColumnNames) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(str(name) for name in given)


def _with_index_as_column(frame: "pd.DataFrame", time: tuple[str, ...]) -> "pd.DataFrame":
    """The frame with a time index turned into a column, where that is the time."""
    import pandas as pd

    index = frame.index
    if not isinstance(index, pd.DatetimeIndex | pd.PeriodIndex) or (time and time != (index.name,)):
        return frame
    name = str(index.name) if index.name is not None else "time"
    return frame if name in frame else frame.reset_index(names=name)
