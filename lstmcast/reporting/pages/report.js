"use strict";
// The chart of a report: history and forecast of one series at a time. Data come from the page
// itself; nothing is loaded. All texts are set as text, never as HTML.
(() => {
  const data = JSON.parse(document.getElementById("chart-data").textContent);
  const place = document.getElementById("chart");
  const choice = document.getElementById("series");
  const note = document.getElementById("reading");
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 800, HEIGHT = 320, LEFT = 64, RIGHT = 8, TOP = 8, BOTTOM = 28;
  let zoomed = true;

  const make = (tag, attributes, parent, text) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  const format = (value, decimals) => {
    if (value === null) return "–";
    const shown = Number(value.toPrecision(5));
    const digits = { minimumFractionDigits: decimals ?? 0, maximumFractionDigits: decimals ?? 6 };
    return shown.toLocaleString("en", digits);
  };

  // About four round numbers between two values.
  const ticks = (low, high) => {
    const rough = (high - low) / 4 || 1;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
    const found = [];
    for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
    return found;
  };

  const path = (points) => {
    let drawn = "", pen = "M";
    for (const [x, y] of points) {
      if (y === null) { pen = "M"; continue; }
      drawn += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
    }
    return drawn;
  };

  const draw = () => {
    const series = data.series[choice.value];
    const history = zoomed ? series.history.slice(-Math.max(4 * series.forecast.length, 40)) : series.history;
    const first = series.at + series.history.length - history.length;
    const count = history.length, total = count + series.forecast.length;
    const bounds = series.low ? [...series.low, ...series.high] : [];
    const known = [...history, ...series.forecast, ...bounds].filter((value) => value !== null);
    let low = Math.min(...known), high = Math.max(...known);
    if (low === high) { low -= 1; high += 1; }
    const x = (step) => LEFT + (WIDTH - LEFT - RIGHT) * (step / Math.max(1, total - 1));
    const y = (value) =>
      value === null ? null : TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low));

    place.replaceChildren();
    const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" }, place);
    make("title", {}, svg, `History and forecast of ${series.name}`);
    for (const value of ticks(low, high)) {
      make("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }, svg);
      make("text", { class: "label", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, svg, format(value));
    }
    for (const share of [0, 1 / 3, 2 / 3, 1]) {
      const step = Math.round(share * (total - 1));
      const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle";
      make("text", { class: "label", x: x(step), y: HEIGHT - 8, "text-anchor": anchor }, svg, data.labels[first + step]);
    }
    if (series.low) {
      const upper = series.high.map((value, step) => [x(count + step), y(value)]);
      const lower = series.low.map((value, step) => [x(count + step), y(value)]).reverse();
      const band = [...upper, ...lower];
      if (band.every(([, at]) => at !== null)) make("path", { class: "band", d: `${path(band)}Z` }, svg);
    }
    make("path", { class: "observed", d: path(history.map((value, step) => [x(step), y(value)])) }, svg);
    // The line begins at the last observed value, so that there is no gap.
    const joined = series.forecast.map((value, step) => [x(count + step), y(value)]);
    if (count && history[count - 1] !== null) joined.unshift([x(count - 1), y(history[count - 1])]);
    make("path", { class: "forecast", d: path(joined) }, svg);

    const mark = make("line", { class: "mark", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" }, svg);
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const at = ((event.clientX - box.left) / box.width) * WIDTH;
      const step = Math.round(((at - LEFT) / (WIDTH - LEFT - RIGHT)) * (total - 1));
      if (step < 0 || step >= total) return;
      mark.setAttribute("x1", x(step));
      mark.setAttribute("x2", x(step));
      mark.setAttribute("visibility", "visible");
      const ahead = step - count;
      let text = `${data.labels[first + step]}: `;
      if (ahead < 0) text += `${format(history[step])} observed`;
      else {
        text += `forecast ${format(series.forecast[ahead])}`;
        if (series.low) text += `, ${format(series.low[ahead])} to ${format(series.high[ahead])}`;
      }
      note.textContent = text;
    });
    tabulate(series);
  };

  const tabulate = (series) => {
    const body = document.querySelector("#forecast-table tbody");
    if (!body) return;
    const start = series.at + series.history.length;
    // Four significant digits of the largest number, and as many decimals in every cell.
    const sizes = [...series.forecast, ...(series.low ?? []), ...(series.high ?? [])].map((value) => Math.abs(value ?? 0));
    const largest = Math.max(...sizes) || 1;
    const decimals = Math.min(8, Math.max(0, 3 - Math.floor(Math.log10(largest))));
    const rows = series.forecast.map((value, step) => {
      const cells = [data.labels[start + step], format(value, decimals)];
      if (series.low) cells.push(format(series.low[step], decimals), format(series.high[step], decimals));
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

  data.series.forEach((series, number) => {
    const option = document.createElement("option");
    option.value = number;
    option.textContent = series.name;
    choice.append(option);
  });
  choice.hidden = data.series.length < 2;
  choice.addEventListener("change", draw);
  const zoom = document.getElementById("zoom");
  zoom.addEventListener("click", () => {
    zoomed = !zoomed;
    zoom.textContent = zoomed ? "Show more history" : "Show the end only";
    draw();
  });
  document.documentElement.classList.add("live");
  draw();
})();
