"""A validated panel: series on one regular time axis as flat arrays, without padding.

Knows neither files nor torch.

Axes: N series, T[i] steps of series i (flat: all series end to end), Cp past, Cf known-future, Cs
static covariates, K windows, H horizon, Q quantiles. An origin is the index of the last known step
within its series.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack, cast

import numpy as np

from lstmcast.config import Columns, DataConfig, Duplicates, Ended, Fill, Last
from lstmcast.errors import ArgumentError
from lstmcast.panel.forecast_table import context_frame, forecast_columns, key_columns
from lstmcast.panel.frames.known_names import complete_columns
from lstmcast.panel.layout import extend_future, match_keys
from lstmcast.ragged import Floats, Ints, concat_ranges, offsets_from_lengths
from lstmcast.timeaxis.axis import TimeAxis

if TYPE_CHECKING:
    import pandas as pd

    from lstmcast.panel.frames.accept import AcceptedData
    from lstmcast.tables.table import Table

ColumnNames = str | Sequence[str] | None
COLUMN_ROLES = ("target", "time", "series", "past", "future", "static")


class PanelOptions(TypedDict, total=False):
    """How to read a frame or a table: roles of its columns, then the settings of the reading."""

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
    last: Last
    resample: str | None
    snap: bool | None
    closed: str
    ended: Ended
    like: "Panel | None"


@dataclass(frozen=True, eq=False, repr=False)
class Panel:
    """N series on one time axis; NaN is a missing value or a missing row.

    key_names, keys: output key columns and the key of each series, in the input's order of first
    appearance. values [sum T] and offsets [N+1]: series i is values[offsets[i]:offsets[i+1]]; start
    [N]: ordinal of its first step. past [sum T, Cp]; future [sum (T + ahead), Cf] with
    future_offsets [N+1], whose rows beyond the target's end are the known future; static [N, Cs].
    encodings: categories of text covariates. notes: what the user should know about the data. fill:
    how the network reads missing values ("forward" or "linear"), which stay missing here.
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
    fill: Fill = "none"

    def __new__(cls, *values: Any, **_: Any) -> Self:
        """Refuse a frame in the place of the fields, with what to write instead."""
        if values and not isinstance(values[0], Columns):
            raise ArgumentError(
                f"a Panel is not made of a {type(values[0]).__name__} in this way",
                "use Panel.from_frame(frame)",
            )
        return super().__new__(cls)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
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
        last: Last = "auto",
        resample: str | None = None,
        snap: bool | None = None,
        closed: str = "auto",
        ended: Ended = "keep",
        like: "Panel | None" = None,
    ) -> "Panel":
        """Validate data, which are left unchanged.

        frame: a frame of pandas, polars or Arrow; a Series or an array is one series. Columns named
        `unique_id`, `ds` and `y` (or `item_id`, `timestamp` and `target`) need no role. `time` is
        inferred where it is left out; an index of times, or of ids and times, counts as columns.
        like: the panel a run was trained on (`forecaster.panel`), whose roles, frequency and
        categories are kept; then no role is needed. Raises DataError where the data cannot be used,
        UsageError where a column has two roles or there is no target, RunError where the type of a
        column is not that of `like`, ArgumentError for what is no data.
        """
        options = PanelOptions(
            target=target,
            time=time,
            series=series,
            past=past,
            future=future,
            static=static,
            freq=freq,
            date_format=date_format,
            duplicates=duplicates,
            tz=tz,
            fill=fill,
            last=last,
            resample=resample,
            snap=snap,
            closed=closed,
            ended=ended,
            like=like,
        )
        # What reads data is slow to import, and a saved panel needs none of it.
        from lstmcast.panel.frames.accept import accept_data

        accepted = accept_data(frame, _to_name_tuple(time), _to_name_tuple(target))
        return cls._from_options(accepted, options)

    @classmethod
    def from_arrow(cls, table: Any, **options: Unpack[PanelOptions]) -> "Panel":
        """Validate a pyarrow Table, or another source of Arrow's C stream (reader, polars frame).

        options: as of `from_frame`. Raises what `from_frame` raises.
        """
        from lstmcast.panel.frames.accept import accept_arrow

        return cls._from_options(accept_arrow(table), options)

    @classmethod
    def _from_options(cls, accepted: "AcceptedData", options: PanelOptions) -> "Panel":
        from lstmcast.panel.frames.accept import require_target

        settings = dict(options)
        like = cast("Panel | None", settings.pop("like", None))
        roles = {}
        for role in COLUMN_ROLES:
            names = cast(ColumnNames, settings.pop(role, None))
            roles[role] = _to_name_tuple(names)
        # What is neither a role nor a panel is a setting of the reading.
        config = DataConfig(**settings)  # type: ignore[arg-type]
        if like is not None and not any(roles.values()):
            return cls.from_table(accepted.table, like.columns, config, like)
        columns = require_target(roles, accepted)
        return cls.from_table(accepted.table, columns, config, like)

    @classmethod
    def from_table(
        cls,
        table: "Table",
        columns: Columns,
        config: DataConfig = DataConfig(),  # noqa: B008
        like: "Panel | None" = None,
    ) -> "Panel":
        """Validate a table.

        like: the panel a run was trained on, whose frequency and categories are kept; else columns
        have roles by their names, too, see `frames.known_names`. Raises what `from_frame` raises.
        """
        from lstmcast.ingest.assemble import assemble_panel

        if like is None:
            columns = complete_columns(columns, table.names)

        # A frame, or the body of a request, is read as its markers of missing values say.
        table = replace(table, na=config.na)
        axis = like.axis if like else None
        encodings = like.encodings if like else None
        assembled = assemble_panel(table, columns, config, axis, encodings)
        panel = cls(**assembled._asdict())
        if config.last == "drop":
            from lstmcast.panel.last_values import drop_last_values

            return drop_last_values(panel)
        return panel

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
    def future_lengths(self) -> Ints:
        """Rows of known-future covariates of each series, from its first step on, int64 [N]."""
        return np.diff(self.future_offsets)

    @property
    def ahead(self) -> Ints:
        """Steps beyond the target's end whose known-future covariates are known, int64 [N]."""
        return self.future_lengths - self.lengths

    def stamp_text(self, ordinal: int) -> str:
        """The stamp of an ordinal as text, for messages."""
        texts = self.axis.texts(np.array([ordinal]))
        return texts[0]

    def series(self, i: int) -> Floats:
        """Values of series i, a view."""
        begin = self.offsets[i]
        end = self.offsets[i + 1]
        return self.values[begin:end]

    def head(self, lengths: Ints) -> "Panel":
        """Keep the first lengths[i] steps of each series, and all of its known future.

        Series with no step left are dropped.
        """
        wanted = np.asarray(lengths, dtype=np.int64)
        end = np.clip(wanted, 0, self.lengths)
        begin = np.zeros_like(end)
        left = np.flatnonzero(end > 0)
        return self._slice_steps(left, begin, end)

    def tail(self, steps: int) -> "Panel":
        """Keep the last `steps` (at least 1) steps of each series, and all of its known future."""
        steps = max(steps, 1)
        begin = np.maximum(self.lengths - steps, 0)
        every = np.arange(len(self))
        return self._slice_steps(every, begin, self.lengths)

    def select(self, index: Ints) -> "Panel":
        """The series of these indices, in their order."""
        chosen = np.asarray(index, dtype=np.int64)
        begin = np.zeros_like(self.lengths)
        return self._slice_steps(chosen, begin, self.lengths)

    def split(self, cutoff: Any) -> tuple["Panel", "Panel"]:
        """Split into the steps up to and including the stamp `cutoff`, and the steps after it.

        Series with no step left are dropped from either.
        """
        # A cutoff between two stamps is as good as the earlier of them.
        last = self.axis.floor(cutoff)
        steps = last - self.start + 1
        steps = np.clip(steps, 0, self.lengths)

        goes_on = np.flatnonzero(steps < self.lengths)
        later = self._slice_steps(goes_on, steps, self.lengths)
        return self.head(steps), later

    def with_known(
        self, names: Sequence[str], table: Callable[[Ints], Floats], ahead: int
    ) -> "Panel":
        """Return the panel with C more covariates, which `table` knows at any ordinals.

        table: from consecutive ordinals [n] to the columns `names`, [n, C]. They reach at least
        `ahead` steps after each series. What else is known ahead stays as it is, missing (NaN)
        where only they reach.
        """
        lengths = np.maximum(self.future_lengths, self.lengths + ahead)

        # Series overlap in time: the table is asked once for the steps of them all.
        first = int(self.start.min())
        last = int((self.start + lengths).max())
        columns = table(np.arange(first, last))
        future, offsets = extend_future(self, lengths, columns.shape[1])

        # The new columns stand after those that there were.
        width = self.future.shape[1]
        rows = concat_ranges(self.start - first, lengths)
        future[:, width:] = columns[rows]

        return replace(
            self,
            future=future,
            future_offsets=offsets,
            future_names=(*self.future_names, *names),
        )

    def _slice_steps(self, index: Ints, begin: Ints, end: Ints) -> "Panel":
        """Series `index` [n], steps begin[i] to end[i] of each [N], and all of its known future."""
        lengths = (end - begin)[index]
        begin = begin[index]
        future_lengths = self.future_lengths[index] - begin

        first_rows = self.offsets[index] + begin
        first_future_rows = self.future_offsets[index] + begin
        rows = concat_ranges(first_rows, lengths)
        future_rows = concat_ranges(first_future_rows, future_lengths)

        keys = [self.keys[i] for i in index.tolist()]
        return replace(
            self,
            keys=tuple(keys),
            values=self.values[rows],
            offsets=offsets_from_lengths(lengths),
            start=self.start[index] + begin,
            past=self.past[rows],
            future=self.future[future_rows],
            future_offsets=offsets_from_lengths(future_lengths),
            static=self.static[index],
        )

    def align(self, other: "Panel") -> Ints:
        """Index of each key of this panel in `other`, int64 [N]; -1 where it is absent."""
        return match_keys(self.keys, other.keys)

    def forecast_frame(
        self,
        series: Ints,
        origins: Ints,
        quantiles: Floats,
        levels: Sequence[float],
        *,
        probability: bool = False,
        shown: Sequence[float] | None = None,
    ) -> "pd.DataFrame":
        """Return the forecast table, one row per window and step.

        Its columns are the keys, the time, `forecast` (the median) and one per quantile. A 0/1
        target's median goes into `probability`.

        series [K], origins [K], quantiles [K, H, Q] at `levels` [Q], those `shown` in columns.
        """
        import pandas as pd

        columns = self.forecast_columns(
            series, origins, quantiles, levels, probability=probability, shown=shown
        )
        return pd.DataFrame(columns)

    def forecast_columns(
        self,
        series: Ints,
        origins: Ints,
        quantiles: Floats,
        levels: Sequence[float],
        *,
        probability: bool = False,
        shown: Sequence[float] | None = None,
    ) -> dict[str, Any]:
        """The columns of `forecast_frame`, each [K * H].

        Texts are an array of objects, typed stamps an index.
        """
        return forecast_columns(
            self,
            series,
            origins,
            quantiles,
            levels,
            probability=probability,
            shown=shown,
        )

    def context_frame(self, values: Floats, name: str) -> "pd.DataFrame":
        """Tabulate values [N, L] of the last L steps of each series: keys, time, `name`."""
        return context_frame(self, values, name)

    def key_columns(self, series: Ints) -> dict[str, Any]:
        """Key columns of some series [K], of the type that they had in the input."""
        return key_columns(self, series)

    def to_frame(self) -> "pd.DataFrame":
        """Tabulate the panel: key columns, time, the target (or `value`), then covariates."""
        from lstmcast.panel.frames.description import panel_to_frame

        return panel_to_frame(self)

    def __repr__(self) -> str:
        from lstmcast.panel.frames.description import describe_panel_in_a_line

        return describe_panel_in_a_line(self)

    def _repr_html_(self) -> str:
        from lstmcast.panel.frames.description import describe_panel_as_html

        return describe_panel_as_html(self)

    def fingerprint(self) -> str:
        """SHA-256 over keys, times, values and covariates.

        It is the same however a table of these is written or ordered.
        """
        panel = self._sorted_by_key()
        grid = asdict(self.axis.grid)
        if not grid["closed"]:
            # As in versions that knew of no closed times.
            del grid["closed"]
        axis = [self.axis.name, grid, self.axis.form.zone]
        header = [axis, self.key_names, panel.keys, self.covariates]
        if self.fill != "none":
            header.append(self.fill)
        header_bytes = json.dumps(header).encode()
        digest = hashlib.sha256(header_bytes)

        # The same bytes on machines of either byte order.
        for array in (panel.offsets, panel.start, panel.future_offsets):
            integers = np.ascontiguousarray(array, dtype="<i8")
            digest.update(integers.tobytes())

        for values in (panel.values, panel.past, panel.future, panel.static):
            # There are many NaN and two zeros: one of each stands for all of its kind.
            canonical = np.where(np.isnan(values), np.nan, values)
            canonical += 0.0
            floats = np.ascontiguousarray(canonical, dtype="<f8")
            digest.update(floats.tobytes())

        return digest.hexdigest()

    def _sorted_by_key(self) -> "Panel":
        """The series in the order of their keys; the panel itself where they stand so."""
        every = range(len(self))
        order = sorted(every, key=self.keys.__getitem__)
        if order == list(every):
            return self
        return self.select(np.array(order))

    @property
    def covariates(self) -> dict[str, list[str]]:
        """Names of the covariates by role."""
        return {
            "past": list(self.past_names),
            "future": list(self.future_names),
            "static": list(self.static_names),
        }


def _to_name_tuple(names: ColumnNames) -> tuple[str, ...]:
    if names is None:
        return ()
    if isinstance(names, str):
        return (names,)
    return tuple(str(name) for name in names)
