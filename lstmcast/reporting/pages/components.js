"use strict";
// Below the chart of a report: what the chosen series is made of, a row for each part, and its season.
(() => {
  const { make, format, ticks, bounds, measureMarks, drawMarks, drawStamps, path } = charts;
  const ROW = 88, SEASON = 240, RIGHT = 8, TOP = 6, BOTTOM = 28;

  // Vertical places for values of a chart whose drawing ends at `floor`.
  const scale = ([low, high], floor) => (value) =>
    value === null ? null : TOP + (floor - TOP) * (1 - (value - low) / (high - low));

  const addChart = (place, title, width, height, name) => {
    const row = document.createElement("div");
    row.className = "whole";
    if (title) {
      const heading = document.createElement("p");
      heading.className = "part";
      heading.textContent = title;
      row.append(heading);
    }
    place.append(row);
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, row);
    make("title", {}, svg, name);
    return svg;
  };

  const drawParts = (place, data, series, first, last) => {
    const width = Math.max(280, Math.round(place.clientWidth) || 800);
    const observed = series.windows[0].at - series.at;
    const spans = series.parts.map((part) => bounds(part.slice(first, last + 1)));
    const marks = spans.map(([low, high]) => ticks(low, high));
    // All rows have the same left edge, so that what is below another is of the same time.
    const left = Math.max(...marks.map(measureMarks));
    const x = (step) => left + (width - left - RIGHT) * ((step - first) / Math.max(1, last - first));
    series.parts.forEach((part, number) => {
      const isLast = number === series.parts.length - 1;
      const height = ROW + (isLast ? BOTTOM : 0);
      const y = scale(spans[number], ROW - TOP);
      const title = data.parts[number];
      const svg = addChart(place, title, width, height, `${title} of ${series.name}`);
      drawMarks(svg, marks[number], { left, right: width - RIGHT, y });
      const points = part.map((value, step) => [step, value]).filter(([step]) => step >= first && step <= last);
      const onScreen = (list) => list.map(([step, value]) => [x(step), y(value)]);
      make("path", { class: "observed", d: path(onScreen(points.filter(([step]) => step < observed))) }, svg);
      // From the last observed step on, so that there is no gap.
      make("path", { class: "forecast", d: path(onScreen(points.filter(([step]) => step >= observed - 1))) }, svg);
      if (!isLast) return;
      const label = (step) => data.labels[series.at + step];
      drawStamps(svg, { first, last, label, x, left, width, height });
    });
  };

  const drawSeason = (place, data, series) => {
    const [lower, middle, upper] = series.season;
    const width = Math.max(280, Math.round(place.clientWidth) || 800);
    const span = bounds([...lower, ...upper]);
    const marks = ticks(...span);
    const left = measureMarks(marks);
    const floor = SEASON - BOTTOM;
    const y = scale(span, floor);
    const x = (step) => left + (width - left - RIGHT) * (step / (middle.length - 1));
    const svg = addChart(place, "", width, SEASON, `Season of ${series.name}`);
    drawMarks(svg, marks, { left, right: width - RIGHT, y });
    const onScreen = (line) => line.map((value, step) => [x(step), y(value)]);
    const outline = [...onScreen(upper), ...onScreen(lower).reverse()].filter(([, at]) => at !== null);
    if (outline.length) make("path", { class: "band", d: `${path(outline)}Z` }, svg);
    make("path", { class: "forecast", d: path(onScreen(middle)) }, svg);
    // Names of steps where one begins, as far as they have room.
    let free = 0;
    data.phases.forEach((name, step) => {
      if (step && name === data.phases[step - 1]) return;
      const size = 8 * name.length;
      const at = Math.max(x(step), size / 2);
      if (at - size / 2 < free || at + size / 2 > width) return;
      make("text", { class: "label", x: at, y: SEASON - 8, "text-anchor": "middle" }, svg, name);
      free = at + size / 2 + 10;
    });
  };

  // first, last: the steps of the series that the chart above shows.
  charts.drawComponents = (data, series, first, last) => {
    for (const [kind, draw] of [["parts", drawParts], ["season", drawSeason]]) {
      const place = document.getElementById(kind);
      if (!place) continue;
      place.replaceChildren();
      const isThere = Boolean(series[kind]?.length);
      document.getElementById(`${kind}-missing`).hidden = isThere;
      if (isThere) draw(place, data, series, first, last);
    }
  };
})();
