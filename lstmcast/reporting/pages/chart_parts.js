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

  return { make, format, ticks, path };
})();
