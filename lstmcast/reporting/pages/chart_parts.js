"use strict";
// What the charts of pages share. All texts are set as text, never as HTML.
const charts = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const LETTER = 7.5;
  const MIDNIGHT = /[ T]00:00$/;

  const make = (tag, attributes, parent, text) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };

  const format = (value, decimals) => {
    if (value === null || value === undefined) return "–";
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

  // The lowest and the highest of these values, with some room around them.
  const bounds = (values) => {
    const known = values.filter((value) => value !== null && value !== undefined);
    let low = Math.min(...known), high = Math.max(...known);
    if (!known.length) [low, high] = [0, 1];
    if (low === high) { low -= 1; high += 1; }
    const margin = (high - low) / 25;
    return [low - margin, high + margin];
  };

  // The columns that the numbers at the left of a chart take.
  const measureMarks = (marks) => 14 + LETTER * Math.max(...marks.map((value) => format(value).length));

  // A line and a number for each mark of the vertical axis.
  const drawMarks = (svg, marks, { left, right, y }) => {
    for (const value of marks) {
      make("line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }, svg);
      make("text", { class: "label", x: left - 6, y: y(value) + 4, "text-anchor": "end" }, svg, format(value));
    }
  };

  // As many stamps below a chart as have room: of days where there are clock times and days enough.
  // label: the stamp of a step. x: where a step lies. left, width: edges of the chart.
  const drawStamps = (svg, { first, last, label, x, left, width, height }) => {
    const steps = [];
    for (let step = first; step <= last; step += 1) steps.push(step);
    const days = steps.filter((step) => MIDNIGHT.test(label(step)));
    const areDays = days.length > 1;
    const text = (step) => (areDays ? label(step).replace(MIDNIGHT, "") : label(step));
    const size = LETTER * text(days[0] ?? last).length;
    const most = Math.max(1, Math.min(5, Math.floor((width - left) / (size + 24))));
    const count = Math.min(most, steps.length);
    const stride = Math.ceil(days.length / most);
    const even = [...Array(count).keys()].map((one) => steps[Math.round((one * (steps.length - 1)) / Math.max(1, count - 1))]);
    const chosen = areDays ? days.filter((_, one) => one % stride === 0) : even;
    for (const step of chosen) {
      const at = x(step);
      const anchor = at - size / 2 < 0 || step === first ? "start" : at + size / 2 > width || step === last ? "end" : "middle";
      make("text", { class: "label", x: at, y: height - 8, "text-anchor": anchor }, svg, text(step));
    }
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

  // Let a pointer or arrow keys read a chart, and a pressed pointer choose a part to show.
  // first, last: the rows that are shown. x: where a row lies. top, floor: edges of the chart.
  // find: the row of an event. tell: says what a row holds. show: shows the rows between two.
  const follow = (svg, { first, last, x, top, floor, find, tell, show }) => {
    const area = { y: top, height: floor - top, visibility: "hidden" };
    const selection = make("rect", { class: "selection", ...area, x: 0, width: 0 }, svg);
    const mark = make("line", { class: "mark", y1: top, y2: floor, visibility: "hidden" }, svg);
    let pointed = last, pressed = null;
    const point = (row) => {
      pointed = Math.min(last, Math.max(first, row));
      for (const end of ["x1", "x2"]) mark.setAttribute(end, x(pointed));
      mark.setAttribute("visibility", "visible");
      tell(pointed);
    };
    svg.addEventListener("pointerdown", (event) => { pressed = find(event); });
    svg.addEventListener("pointermove", (event) => {
      point(find(event));
      if (pressed === null) return;
      const ends = [x(pressed), x(pointed)].sort((one, other) => one - other);
      selection.setAttribute("x", ends[0]);
      selection.setAttribute("width", ends[1] - ends[0]);
      selection.setAttribute("visibility", "visible");
    });
    svg.addEventListener("pointerup", (event) => {
      const ends = [pressed ?? last, find(event)].sort((one, other) => one - other);
      pressed = null;
      if (ends[1] - ends[0] > 1) show(ends);
    });
    svg.addEventListener("pointercancel", () => { pressed = null; });
    svg.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: -1, ArrowRight: 1 };
      if (!(event.key in moves)) return;
      event.preventDefault();
      point(pointed + moves[event.key]);
    });
    return point;
  };

  return { make, format, ticks, bounds, measureMarks, drawMarks, drawStamps, path, follow };
})();
