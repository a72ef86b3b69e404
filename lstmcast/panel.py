"""A validated panel: series on one regular time axis as flat arrays, without padding. Knows neither files nor torch.

Axes: N series, T[i] steps of series i (flat: all series end to end), Cp past, Cf known-future, Cs static covariates,
K windows, H horizon, Q quantiles. An origin is the index of the last known step within its series.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypedDict, Unpack, cast

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from lstmcast.assemble import assemble
from lstmcast.config import Columns, DataConfig, Duplicates, Fill
from lstmcast.errors import DataError
from lstmcast.groups import offsets_of
from lstmcast.layouts import Ints
from lstmcast.metrics import point_forecast
from lstmcast.read import Table
from lstmcast.timeaxis import TimeAxis

Floats = NDArray[np.float64]
Names = str | Sequence[str] | None
ROLES = ("target", "time", "series", "past", "future", "static")


class Options(TypedDict, total=False):
    """How a frame or a table is to be taken: roles of columns, then how it is read."""

    target: Names
    time: Names
    series: Names
    past: Names
    future: Names
    static: Names
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

    key_names, keys: output key columns and the key of each series, in the input's order of first appearance.
    values [sum T] and offsets [N+1]: series i is values[offsets[i]:offsets[i+1]]; start [N]: ordinal of its first step.
    past [sum T, Cp]; future [sum (T + ahead), Cf] with future_offsets [N+1], whose rows beyond the target's end are
    the known future; static [N, Cs]. encodings: categories of text covariates. notes: what is worth saying.
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
        frame: pd.DataFrame,
        *,
        target: Names = None,
        time: Names = None,
        series: Names = (),
        past: Names = (),
        future: Names = (),
        static: Names = (),
        freq: str | None = None,
        date_format: str | None = None,
        duplicates: Duplicates = "error",
        tz: str | None = None,
        fill: Fill = "none",
        resample: str | None = None,
        like: "Panel | None" = None,
    ) -> "Panel":
        """Validate a frame, which is left unchanged; `time` is found where it is not given (a DatetimeIndex, too).

        like: the panel a run was trained on (`forecaster.panel`), whose roles, frequency and categories are kept; then
        no role need be given. Raises DataError where the frame cannot be used, UsageError where a column has two roles
        or there is no target, RunError where the type of a column is not that of `like`.
        """
        options = Options(
            target=target, time=time, series=series, past=past, future=future, static=static, freq=freq,
            date_format=date_format, duplicates=duplicates, tz=tz, fill=fill, resample=resample, like=like,
        )  # fmt: skip
        return cls._given(Table(_indexed(frame, _names(time)).rename(columns=str), "frame"), options)

    @classmethod
    def from_arrow(cls, table: Any, **options: Unpack[Options]) -> "Panel":
        """Validate a pyarrow Table, or what else speaks Arrow's C stream (a reader, a polars frame).

        options: as of `from_frame`. Raises what `from_frame` raises; DataError too where a column is there twice.
        """
        arrow = table if isinstance(table, pa.Table) else pa.table(table)
        double = [name for name, count in Counter(arrow.column_names).items() if count > 1]
        if double:
            raise DataError(f"table: column {double[0]!r} is there more than once", "rename one of them")
        return cls._given(Table(arrow, "table"), options)

    @classmethod
    def _given(cls, table: Table, options: Options) -> "Panel":
        like, roles = options.get("like"), [_names(cast(Names, options.get(role))) for role in ROLES]
        columns = like.columns if like and not any(roles) else Columns(*roles)
        reading = {name: value for name, value in options.items() if name not in (*ROLES, "like")}
        return cls.from_table(table, columns, DataConfig(**reading), like)  # type: ignore[arg-type]

    @classmethod
    def from_table(
        cls,
        table: Table,
        columns: Columns,
        config: DataConfig = DataConfig(),  # noqa: B008
        like: "Panel | None" = None,
    ) -> "Panel":
        """Validate a table. With `like`, the panel a run was trained on: the same frequency and categories are kept."""
        axis, encodings = (like.axis, like.encodings) if like else (None, None)
        return cls(**assemble(table, columns, config, axis, encodings))

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
        return self._cut(np.flatnonzero(ends > 0), np.zeros_like(ends), ends)

    def tail(self, steps: int) -> "Panel":
        """Keep the last `steps` (at least 1) steps of each series, and all of its known future."""
        return self._cut(np.arange(len(self)), np.maximum(self.lengths - max(steps, 1), 0), self.lengths)

    def select(self, index: Ints) -> "Panel":
        """The series of these indices, in their order."""
        return self._cut(np.asarray(index, dtype=np.int64), np.zeros_like(self.lengths), self.lengths)

    def split(self, cutoff: Any) -> tuple["Panel", "Panel"]:
        """Steps up to and including the stamp `cutoff`, and steps after it; series with none left are dropped."""
        steps = np.clip(self.axis.floor(cutoff) - self.start + 1, 0, self.lengths)
        later = self._cut(np.flatnonzero(steps < self.lengths), steps, self.lengths)
        return self.head(steps), later

    def _cut(self, index: Ints, begin: Ints, end: Ints) -> "Panel":
        """Series `index` [n], steps begin[i] to end[i] of each [N], with the known future to its end."""
        begin, end = begin[index], end[index]
        rows = ranges(self.offsets[index] + begin, end - begin)
        future = np.diff(self.future_offsets)[index] - begin
        return replace(
            self,
            keys=tuple(self.keys[i] for i in index.tolist()),
            values=self.values[rows],
            offsets=offsets_of(end - begin),
            start=self.start[index] + begin,
            past=self.past[rows],
            future=self.future[ranges(self.future_offsets[index] + begin, future)],
            future_offsets=offsets_of(future),
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
    ) -> pd.DataFrame:
        """The forecast table: keys, time, `forecast` (the median) and a column a quantile; one row a window and step.

        series [K], origins [K], quantiles [K, H, Q] at `levels` [Q]. A 0/1 target's median goes into `probability`.
        """
        windows, horizon = quantiles.shape[:2]
        order = np.argsort(levels, kind="stable")
        ordered, quantiles = np.asarray(levels, dtype=np.float64)[order], quantiles[..., order]
        last = self.start[series] + np.asarray(origins)
        ordinals = (last[:, None] + np.arange(1, horizon + 1)).ravel()
        columns: dict[str, Any] = {name: values.repeat(horizon) for name, values in self.key_columns(series).items()}
        unique, inverse = np.unique(ordinals, return_inverse=True)
        columns[self.axis.name] = pd.Index(self.axis.stamps(unique)).take(inverse)
        median = point_forecast(quantiles, ordered).ravel()
        if probability:
            return pd.DataFrame({**columns, "probability": median})
        columns["forecast"] = median
        for place, level in enumerate(ordered.tolist()):
            columns[f"q{round(100 * level, 6):g}"] = quantiles[..., place].reshape(windows * horizon)
        return pd.DataFrame(columns)

    def context_frame(self, values: Floats, name: str) -> pd.DataFrame:
        """A table of what belongs to the last L steps of each series [N, L]: keys, time, `name`."""
        back = np.arange(1 - values.shape[1], 1) + self.lengths[:, None] - 1
        series, place = np.nonzero(back >= 0)
        columns: dict[str, Any] = dict(self.key_columns(series))
        columns[self.axis.name] = self.axis.stamps(self.start[series] + back[series, place])
        return pd.DataFrame({**columns, name: values[series, place]})

    def key_columns(self, series: Ints) -> dict[str, pd.Index]:
        """Key columns of the given series [K], of the type that they had in the input."""
        columns = {}
        for place, name in enumerate(self.key_names):
            kind = self.key_types[place] if place < len(self.key_types) else "str"
            unique = pd.Index([key[place] for key in self.keys], dtype="str")
            columns[name] = unique.take(np.asarray(series, dtype=np.int64)).astype(kind)
        return columns

    def fingerprint(self) -> str:
        """SHA-256 over keys, times, values and covariates, the same however a table of these is written or ordered."""
        axis = [self.axis.name, asdict(self.axis.grid), self.axis.form.zone]
        order = sorted(range(len(self)), key=self.keys.__getitem__)
        panel = self if order == list(range(len(self))) else self.select(np.array(order))
        digest = hashlib.sha256(json.dumps([axis, self.key_names, panel.keys, self._names()]).encode())
        for array in (panel.offsets, panel.start, panel.future_offsets):
            digest.update(np.ascontiguousarray(array, dtype="<i8").tobytes())
        for measured in (panel.values, panel.past, panel.future, panel.static):
            canonical = np.where(np.isnan(measured), np.nan, measured) + 0.0  # one NaN, one zero
            digest.update(np.ascontiguousarray(canonical, dtype="<f8").tobytes())
        return digest.hexdigest()

    def _names(self) -> dict[str, list[str]]:
        return {
            "past": list(self.past_names),
            "future": list(self.future_names),
            "static": list(self.static_names),
        }

    def to_stored(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        """A frame of one row a step, the known future included, and facts for JSON; `from_stored` undoes it exactly."""
        total = np.diff(self.future_offsets)
        rows = ranges(self.future_offsets[:-1], self.lengths)
        frame: dict[str, NDArray[Any]] = {"series": np.repeat(np.arange(len(self), dtype=np.int32), total)}
        frame["value"] = _placed(self.values, rows, int(total.sum()))
        for place in range(self.past.shape[1]):
            frame[f"past{place}"] = _placed(self.past[:, place], rows, int(total.sum()))
        frame |= {f"future{place}": self.future[:, place] for place in range(self.future.shape[1])}
        frame |= {f"static{place}": np.repeat(self.static[:, place], total) for place in range(self.static.shape[1])}
        meta = {
            "columns": asdict(self.columns),
            "axis": self.axis.to_dict(),
            "key_names": self.key_names,
            "key_types": self.key_types,
            "keys": self.keys,
            "start": self.start.tolist(),
            "lengths": self.lengths.tolist(),
            "encodings": self.encodings,
            "names": self._names(),
            "notes": self.notes,
        }
        return pd.DataFrame(frame), json.loads(json.dumps(meta))

    @classmethod
    def from_stored(cls, frame: pd.DataFrame, meta: Mapping[str, Any]) -> "Panel":
        """The panel that `to_stored` wrote; raises ValueError where that is not what it was given."""
        lengths = np.array(meta["lengths"], dtype=np.int64)
        total = np.bincount(frame["series"].to_numpy(), minlength=len(lengths)).astype(np.int64)
        if ((lengths < 1) | (lengths > total)).any():
            raise ValueError("its series are not as long as they are said to be")
        future_offsets = offsets_of(total)
        rows = ranges(future_offsets[:-1], lengths)
        names = {role: tuple(found) for role, found in meta["names"].items()}
        block = {
            role: np.stack([frame[f"{role}{i}"].to_numpy(np.float64) for i in range(len(found))], axis=1)
            if found
            else np.empty((len(frame), 0))
            for role, found in names.items()
        }
        return cls(
            columns=Columns(**{role: tuple(found) for role, found in meta["columns"].items()}),
            axis=TimeAxis.from_dict(meta["axis"]),
            key_names=tuple(meta["key_names"]),
            key_types=tuple(meta["key_types"]),
            keys=tuple(tuple(key) for key in meta["keys"]),
            values=frame["value"].to_numpy(np.float64)[rows],
            offsets=offsets_of(lengths),
            start=np.array(meta["start"], dtype=np.int64),
            past=block["past"][rows],
            future=block["future"],
            future_offsets=future_offsets,
            static=block["static"][future_offsets[:-1]],
            encodings={name: list(kinds) for name, kinds in meta["encodings"].items()},
            past_names=names["past"],
            future_names=names["future"],
            static_names=names["static"],
            notes=tuple(meta["notes"]),
        )


def point_name(forecasts: pd.DataFrame) -> str:
    """Column of the point forecast in a table of forecasts: `probability` where the target is 0 or 1."""
    return "probability" if "probability" in forecasts and "forecast" not in forecasts else "forecast"


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """The integers starts[i], ..., starts[i] + lengths[i] - 1 of every i, end to end."""
    ends = np.cumsum(lengths)
    return np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)


def _placed(values: Floats, rows: Ints, total: int) -> Floats:
    out = np.full(total, np.nan)
    out[rows] = values
    return out


def _names(given: Names) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(str(name) for name in given)


def _indexed(frame: pd.DataFrame, time: tuple[str, ...]) -> pd.DataFrame:
    """The frame with a time index turned into a column, where that is the time."""
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex | pd.PeriodIndex) or (time and time != (index.name,)):
        return frame
    name = str(index.name) if index.name is not None else "time"
    return frame if name in frame else frame.reset_index(names=name)
