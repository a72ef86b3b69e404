"use strict";
// The chart of a page: history and forecasts of one series at a time. Data come from the page
// itself; nothing is loaded. All texts are set as text, never as HTML.
(() => {
  const { make, format, ticks, bounds, measureMarks, drawMarks, drawStamps, path, follow } = charts;
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const place = document.getElementById("chart");
  // The list above the chart, and the same below it.
  const choices = [...document.querySelectorAll("select.series")];
  const button = document.getElementById("zoom");
  const note = document.getElementById("reading");
  const hint = note.textContent;
  const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
  const HEIGHT = 320, RIGHT = 8, TOP = 8, BOTTOM = 28;
  // The number of the series that is shown.
  let chosen = 0;
  // The first and the last step that are shown; null for the end of the series.
  let view = null;

  // Steps of a series are counted from the first one that the page holds.
  const begin = (series, window) => window.at - series.at;
  const countSteps = (series) =>
    Math.max(series.history.length, ...series.windows.map((one) => begin(series, one) + one.forecast.length));
  const wholeView = (series) => [0, countSteps(series) - 1];
  const usualView = (series) => {
    const [first] = series.windows;
    return [Math.max(0, begin(series, first) - Math.max(4 * first.forecast.length, 40)), countSteps(series) - 1];
  };
  const shownView = (series) => view ?? usualView(series);
  // A line or a bound of a window from the last observed value on, so that there is no gap.
  const join = (series, window, values) => {
    const at = begin(series, window);
    const points = values.map((value, step) => [at + step, value]);
    const last = series.history[at - 1] ?? null;
    return last === null ? points : [[at - 1, last], ...points];
  };

  const read = (series, step) => {
    const parts = [];
    const observed = series.history[step];
    if (observed !== undefined) parts.push(`observed ${format(observed)}`);
    const covers = (window) => step >= begin(series, window) && step - begin(series, window) < window.forecast.length;
    const window = series.windows.findLast(covers);
    if (window) {
      const ahead = step - begin(series, window);
      parts.push(`forecast ${format(window.forecast[ahead])}`);
      window.bands.forEach(([low, high], place) => {
        parts.push(`${data.intervals[place]} % interval ${format(low[ahead])} to ${format(high[ahead])}`);
      });
    }
    const weekday = data.weekdays ? `${WEEKDAYS[data.weekdays[series.at + step]]}, ` : "";
    return `${weekday}${data.labels[series.at + step]}: ${parts.join(", ")}`;
  };

  const draw = () => {
    const series = data.series[chosen];
    const [first, last] = shownView(series);
    const isShown = ([step]) => step >= first && step <= last;
    const observed = series.history.map((value, step) => [step, value]).filter(isShown);
    const windows = series.windows.map((window) => ({
      line: join(series, window, window.forecast).filter(isShown),
      bands: window.bands.map((band) => band.map((bound) => join(series, window, bound).filter(isShown))),
    }));
    const points = [observed, ...windows.flatMap((window) => [window.line, ...window.bands.flat()])].flat();
    const [low, high] = bounds(points.map(([, value]) => value));

    const width = Math.max(280, Math.round(place.clientWidth) || 800);
    const marks = ticks(low, high);
    const left = measureMarks(marks);
    const inner = width - left - RIGHT;
    const x = (step) => left + inner * ((step - first) / Math.max(1, last - first));
    const y = (value) =>
      value === null ? null : TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low));
    const onScreen = (list) => list.map(([step, value]) => [x(step), y(value)]);

    place.replaceChildren();
    const svg = make("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", tabindex: 0 }, place);
    make("title", {}, svg, `History and forecast of ${series.name}`);
    drawMarks(svg, marks, { left, right: width - RIGHT, y });
    const label = (step) => data.labels[series.at + step];
    drawStamps(svg, { first, last, label, x, left, width, height: HEIGHT });
    for (const { bands } of windows) {
      for (const [lower, upper] of bands) {
        const outline = [...onScreen(upper), ...onScreen(lower).reverse()];
        if (outline.length && outline.every(([, at]) => at !== null)) make("path", { class: "band", d: `${path(outline)}Z` }, svg);
      }
    }
    make("path", { class: "observed", d: path(onScreen(observed)) }, svg);
    for (const { line } of windows) make("path", { class: "forecast", d: path(onScreen(line)) }, svg);

    const findStep = (event) => {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * width;
      const step = Math.round(first + ((at - left) / inner) * (last - first));
      return Math.min(last, Math.max(first, step));
    };
    const tell = (row) => { note.textContent = read(series, row); };
    const floor = HEIGHT - BOTTOM;
    follow(svg, { first, last, x, top: TOP, floor, find: findStep, tell, show });
    button.textContent = view ? "Show the end only" : "Show more history";
    button.hidden = !view && usualView(series)[0] === 0;
    tabulate(series);
    charts.drawComponents?.(data, series, first, last);
  };

  const show = (steps) => {
    view = steps;
    note.textContent = hint;
    draw();
  };

  const tabulate = (series) => {
    const body = document.querySelector("#forecast-table tbody");
    if (!body) return;
    const [window] = series.windows;
    const bounds = window.bands.flat();
    // Four significant digits of the largest number, and as many decimals in every cell; none where
    // all are whole numbers.
    const sizes = [window.forecast, ...bounds].flat().map((value) => Math.abs(value ?? 0));
    const largest = Math.max(...sizes) || 1;
    const fitting = Math.min(8, Math.max(0, 3 - Math.floor(Math.log10(largest))));
    const decimals = sizes.every(Number.isInteger) ? 0 : fitting;
    const rows = window.forecast.map((value, step) => {
      const values = [value, ...bounds.map((bound) => bound[step])];
      const cells = [data.labels[window.at + step], ...values.map((one) => format(one, decimals))];
      const row = document.createElement("tr");
      for (const cell of cells) {
        const element = document.createElement("td");
        element.textContent = cell;
        row.append(element);
      }
      return row;
    });
    body.replaceChildren(...rows);
  };

  const choose = (number) => {
    chosen = number;
    for (const choice of choices) choice.value = number;
    show(null);
  };
  for (const choice of choices) {
    data.series.forEach((series, number) => {
      const option = document.createElement("option");
      option.value = number;
      option.textContent = series.name;
      choice.append(option);
    });
    choice.parentElement.hidden = data.series.length < 2;
    choice.addEventListener("change", () => choose(Number(choice.value)));
  }
  // A row of the table of series shows its series.
  const numbers = new Map(data.series.map((series, number) => [series.name, number]));
  for (const row of document.querySelectorAll("#by-series tbody tr")) {
    const number = numbers.get(row.cells[0].textContent);
    if (number === undefined) continue;
    const showRow = () => {
      choose(number);
      place.scrollIntoView({ block: "center" });
    };
    row.tabIndex = 0;
    row.addEventListener("click", showRow);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") showRow(); });
  }
  button.addEventListener("click", () => show(view ? null : wholeView(data.series[chosen])));
  document.documentElement.classList.add("live");
  draw();
  let drawn = place.clientWidth;
  addEventListener("resize", () => {
    if (place.clientWidth === drawn) return;
    drawn = place.clientWidth;
    draw();
  });
})();
