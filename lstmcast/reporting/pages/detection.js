"use strict";
// The chart of judged rows: one series at a time, with its events. Data come from the page itself.
(() => {
  const { make, format, ticks, path, follow } = charts;
  const find = (name) => document.getElementById(`detection-${name}`);
  const data = JSON.parse(find("data").textContent);
  const place = find("chart"), choice = find("series"), button = find("zoom"), note = find("reading");
  const hint = note.textContent;
  const HEIGHT = 340, RIGHT = 8, TOP = 24, BOTTOM = 28, LETTER = 7.5;
  // The places of the first and the last row that are shown; null for all.
  let view = null;

  for (const series of data.series) {
    let sum = 0;
    series.at = series.steps.map((step) => (sum += step));
    series.eventOf = new Map();
    for (const event of series.events) {
      for (let row = event.first; row <= event.last; row += 1) series.eventOf.set(row, event);
    }
  }

  const rarity = (score) => {
    const share = 1 - score;
    return share * 1e6 < 1 ? "over 1,000,000" : format(Number((1 / share).toPrecision(2)));
  };
  const read = (series, row) => {
    const parts = [`observed ${format(series.actual[row])}`, `expected ${format(series.expected[row])}`];
    const score = series.score[row];
    if (score !== null) parts.push(`score ${score} (once in ${rarity(score)} rows)`);
    const event = series.eventOf.get(row);
    if (event) parts.push(`event ${event.number}: ${series.reasons[row] ?? event.reason}`);
    return `${series.labels[row]}: ${parts.join(", ")}`;
  };

  // The last row at or before a place in time; rows are in its order.
  const lastRowBefore = (series, at) => {
    let low = 0, high = series.at.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (series.at[middle] <= at) low = middle; else high = middle - 1;
    }
    return low;
  };

  const limits = (series, first, last) => {
    const known = series.actual.slice(first, last + 1).filter((value) => value !== null);
    if (!known.length) return [0, 1];
    let low = known.reduce((one, other) => Math.min(one, other));
    let high = known.reduce((one, other) => Math.max(one, other));
    // The band is shown as far as it does not make a flat line of the values.
    const room = 0.3 * (high - low) || Math.abs(high) || 1;
    const bounds = (values) => values.slice(first, last + 1).filter((value) => value !== null);
    const bottom = bounds(series.low).reduce((one, other) => Math.min(one, other), low);
    const top = bounds(series.high).reduce((one, other) => Math.max(one, other), high);
    return [Math.max(bottom, low - room) - room / 4, Math.min(top, high + room) + room / 4];
  };

  const draw = () => {
    const series = data.series[choice.value];
    const [first, last] = view ?? [0, series.at.length - 1];
    const [low, high] = limits(series, first, last);
    const width = Math.max(280, Math.round(place.clientWidth) || 800);
    const marks = ticks(low, high);
    const left = 14 + LETTER * Math.max(...marks.map((value) => format(value).length));
    const inner = width - left - RIGHT, floor = HEIGHT - BOTTOM;
    const span = series.at[last] - series.at[first] || 1;
    const x = (row) => left + (inner * (series.at[row] - series.at[first])) / span;
    const y = (value) => (value === null ? null : TOP + (floor - TOP) * (1 - (value - low) / (high - low)));
    const clip = (value) => (value === null ? null : Math.min(floor, Math.max(TOP, y(value))));

    place.replaceChildren();
    const svg = make("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", tabindex: 0 }, place);
    make("title", {}, svg, `Judged rows of ${series.name}`);
    for (const value of marks) {
      make("line", { class: "grid", x1: left, x2: width - RIGHT, y1: y(value), y2: y(value) }, svg);
      make("text", { class: "label", x: left - 6, y: y(value) + 4, "text-anchor": "end" }, svg, format(value));
    }
    // As many stamps as have room, each at the place of its row.
    const longest = LETTER * series.labels[last].length + 8;
    const stamps = Math.max(1, Math.min(5, Math.floor(inner / (longest + 16)), last - first + 1));
    let taken = left;
    for (let number = 0; number < stamps; number += 1) {
      const share = stamps > 1 ? number / (stamps - 1) : 0;
      const row = lastRowBefore(series, series.at[first] + share * span);
      const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
      // Where rows are missing the nearest one may be far away.
      const begin = { start: x(row), middle: x(row) - longest / 2, end: x(row) - longest }[anchor];
      if (begin < taken) continue;
      taken = begin + longest;
      make("text", { class: "label", x: x(row), y: HEIGHT - 8, "text-anchor": anchor }, svg, series.labels[row]);
    }

    const rows = [];
    for (let row = first; row <= last; row += 1) rows.push(row);
    // Lines break in gaps.
    const line = (values, height) => rows.flatMap((row) => {
      const point = [x(row), height(values[row])];
      return series.breaks.includes(row) ? [[x(row), null], point] : [point];
    });
    // The band in pieces, one for each run of rows that have one.
    let piece = [];
    const drawPiece = () => {
      if (piece.length > 1) {
        const upper = piece.map((row) => [x(row), clip(series.high[row])]);
        const lower = piece.map((row) => [x(row), clip(series.low[row])]).reverse();
        make("path", { class: "errors", d: `${path([...upper, ...lower])}Z` }, svg);
      }
      piece = [];
    };
    for (const row of rows) {
      if (series.low[row] === null || series.breaks.includes(row)) drawPiece();
      if (series.low[row] !== null) piece.push(row);
    }
    drawPiece();

    const shown = series.events.filter((event) => event.last >= first && event.first <= last);
    for (const event of shown) {
      const begin = Math.max(event.first, first), end = Math.min(event.last, last);
      const area = { y: TOP, height: floor - TOP };
      make("rect", { class: `event ${event.look}`, x: x(begin), width: Math.max(1.5, x(end) - x(begin)), ...area }, svg);
      for (const [before, after] of event.gaps) {
        if (after < first || before > last) continue;
        const [from, to] = [x(Math.max(before, first)), x(Math.min(after, last))];
        make("rect", { class: "gap-span", x: from, width: Math.max(1.5, to - from), ...area }, svg);
      }
    }
    make("path", { class: "expected", d: path(line(series.expected, clip)) }, svg);
    make("path", { class: "observed", d: path(line(series.actual, y)) }, svg);
    let free = left;
    for (const event of shown) {
      if (event.value !== null) {
        const isStuck = (row) => row >= event.first && row <= event.last && series.actual[row] === event.value;
        const level = rows.map((row) => [x(row), isStuck(row) ? y(event.value) : null]);
        make("path", { class: "stuck-line", d: path(level) }, svg);
      }
      const row = event.opened;
      if (row < first || row > last) continue;
      const [at, height] = [x(row), y(series.actual[row])];
      if (height !== null) make("path", { class: `opened ${event.look}`, d: MARKS[event.look](at, height) }, svg);
      const texts = [`${event.number} ${event.reason}`, `${event.number}`];
      // The reason where it has room, to the right or to the left, or else the number.
      const next = shown.find((other) => other.opened > row && other.opened <= last);
      const limit = next ? x(next.opened) : width;
      const widen = (one) => LETTER * (one.length + 1);
      const behind = (one) => at >= free && at + widen(one) < limit;
      const before = (one) => at - widen(one) >= free;
      const text = texts.find((one) => behind(one) || before(one));
      if (text === undefined) continue;
      const anchor = behind(text) ? "start" : "end";
      make("text", { class: `number ${event.look}`, x: at, y: TOP - 8, "text-anchor": anchor }, svg, text);
      free = at + (anchor === "start" ? widen(text) : LETTER);
    }

    const findRow = (event) => {
      const box = svg.getBoundingClientRect();
      const share = (((event.clientX - box.left) / box.width) * width - left) / inner;
      const at = series.at[first] + share * span;
      const before = Math.max(first, Math.min(last, lastRowBefore(series, at)));
      const after = Math.min(last, before + 1);
      return series.at[after] - at < at - series.at[before] ? after : before;
    };
    const tell = (row) => { note.textContent = read(series, row); };
    const point = follow(svg, { first, last, x, top: TOP, floor, find: findRow, tell, show });
    button.hidden = !view;
    return point;
  };

  // The mark of the row that opened an event: a dot, a square, a diamond.
  const MARKS = {
    value: (x, y) => `M${x - 4} ${y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z`,
    stuck: (x, y) => `M${x - 4} ${y - 4}h8v8h-8Z`,
    gap: (x, y) => `M${x} ${y - 5}l5 5l-5 5l-5 -5Z`,
  };

  const show = (rows) => {
    view = rows;
    note.textContent = hint;
    return draw();
  };

  // A row of the table of events shows its event, with rows beside it.
  const showEvent = (row) => {
    choice.value = row.dataset.series;
    const series = data.series[choice.value];
    const event = series.events.find((one) => one.number === Number(row.dataset.event));
    const beside = Math.max(series.beside, event.last - event.first);
    show([Math.max(0, event.first - beside), Math.min(series.at.length - 1, event.last + beside)])(event.opened);
    place.scrollIntoView({ block: "nearest" });
  };
  for (const row of document.querySelectorAll("#detection-events tbody tr")) {
    row.tabIndex = 0;
    row.addEventListener("click", () => showEvent(row));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") showEvent(row); });
  }

  data.series.forEach((series, number) => {
    const option = document.createElement("option");
    option.value = number;
    option.textContent = `${series.name} (${series.count})`;
    choice.append(option);
  });
  // The series with most events comes first, whatever its place.
  const counts = data.series.map((series) => series.events.length);
  choice.value = counts.indexOf(counts.reduce((one, other) => Math.max(one, other), 0));
  choice.hidden = data.series.length < 2;
  choice.addEventListener("change", () => show(null));
  button.addEventListener("click", () => show(null));
  document.documentElement.classList.add("live");
  draw();
  let drawn = place.clientWidth;
  addEventListener("resize", () => {
    if (place.clientWidth === drawn) return;
    drawn = place.clientWidth;
    draw();
  });
})();
