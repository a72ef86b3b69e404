"use strict";
// What the charts of pages share. All texts are set as text, never as HTML.
const charts = (() => {
  const SVG = "http://www.w3.org/2000/svg";

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

  return { make, format, ticks, path, follow };
})();
