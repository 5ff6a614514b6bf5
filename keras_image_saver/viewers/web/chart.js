/* One chart: lines over an axis that all charts share, and what is marked in them. As one moves through
   the run only the marks are drawn; the lines stay. */

const MARK_PX = 4; // how far a mark reaches, and how near to the next one it may stand

/* A path of marks, at most one each few pixels. */
function marksPath(xs, markAt) {
  const kept = new Map(xs.map((x) => [Math.round(x / MARK_PX), x]));
  return [...kept.values()].map(markAt).join("");
}

/* Give a node the colour and the dashes by which a line is known: of one run the second line is that of
   `val_`, of several each run has its own. */
function paintLine(node, { series, rank }, all) {
  const isAlone = all.length === 1;
  const color = all[series].color ?? (isAlone ? null : runColor(series));
  if (color && rank === 0) node.style.setProperty("--run", color);
  node.classList.add(isAlone ? `series-${rank}` : `run-${series % RUN_COLORS}`);
  return node;
}

/* The same for a text beside the chart. */
function lineSwatch(line, all) {
  const root = svg("svg", { class: "key", viewBox: "0 0 22 8", "aria-hidden": "true" });
  root.append(paintLine(svg("path", { class: "line", d: "M1 4H21" }), line, all));
  return root;
}

/* That of a run among several, whether it has a line or not. */
function runSwatch(series, all) {
  return lineSwatch({ series, rank: 0 }, all);
}

class Chart {
  constructor() {
    this.marks = [];
    this.cursor = null;
    this.svg = svg("svg", { class: "chart" });
    // What moves is a picture of its own, so that the browser does not paint the lines below it anew.
    this.moving = svg("svg", { class: "moving", "aria-hidden": "true" });
  }

  /* `scene` is {series, axis, span}, the same for all charts, a series {name, color, entries, places,
     order, several}; a line {series, rank, name, values, has, best}; `ranges` is of `rangesOf`. */
  set(lines, scene, { whole, shown }, isLog) {
    Object.assign(this, { lines, scene, whole, range: shown, isLog, cursor: null });
  }

  /* Everything but what moves. */
  draw() {
    this.size = { width: this.svg.clientWidth || 300, height: this.svg.clientHeight || 110 };
    this.em = parseFloat(getComputedStyle(this.svg).fontSize) || 12;
    const { width, height } = this.size;
    for (const one of [this.svg, this.moving]) one.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const [low, high] = this.range;
    const most = Math.max(1, Math.floor(height / this.em / 2.2));
    const found = this.isLog ? logTicks(low, high, most) : ticksOf(low, high, most);
    const ticks = found.length > 1 || low === high ? found : [low, high];
    const step = ticks.length > 1 && !this.isLog ? ticks[1] - ticks[0] : 0;
    const labels = ticks.map((value) => tickText(value, step));
    const left = Math.min(width / 3, Math.max(...labels.map((text) => text.length)) * 0.6 * this.em + 6);
    this.plot = { left, right: width - 8, top: 8, bottom: height - 1.5 * this.em };
    this.still = svg("g");
    this.drawGrid(ticks, labels);
    this.drawAxis();
    this.drawLines();
    this.drawOdd();
    this.drawBest();
    this.svg.replaceChildren(this.still);
    this.drawMarks();
  }

  xOf(place) {
    const { left, right } = this.plot;
    const [low, high] = this.scene.span;
    return high > low ? left + 6 + ((right - left - 6) * (place - low)) / (high - low) : (left + right) / 2;
  }

  placeAt(x) {
    const { left, right } = this.plot;
    const [low, high] = this.scene.span;
    return low + ((x - left - 6) / (right - left - 6)) * (high - low);
  }

  /* What is cut leaves the chart's edge. */
  yOf(value) {
    const { top, bottom } = this.plot;
    const share = Math.min(1.5, Math.max(-0.5, shareIn(this.range, value, this.isLog)));
    return bottom - 3 - share * (bottom - 3 - top);
  }

  add(name, attributes, text) {
    const made = svg(name, attributes);
    if (text !== undefined) made.textContent = text;
    this.still.append(made);
    return made;
  }

  drawGrid(ticks, labels) {
    const { left, right } = this.plot;
    this.add("path", { class: "grid", d: ticks.map((value) => `M${left} ${this.yOf(value)}H${right}`).join("") });
    ticks.forEach((value, at) => {
      const y = this.yOf(value) + 0.35 * this.em;
      this.add("text", { x: left - 4, y, "text-anchor": "end" }, labels[at]);
    });
  }

  drawAxis() {
    const { axis, span } = this.scene;
    const { left, right, bottom } = this.plot;
    const most = Math.max(1, Math.floor((right - left) / (4 * this.em)));
    const ticks = axisTicks(axis, ...span, most);
    const step = ticks.length > 1 ? ticks[1] - ticks[0] : undefined;
    const xs = ticks.map((place) => this.xOf(place));
    this.add("path", { class: "base", d: `M${left} ${bottom}H${right}${xs.map((x) => `M${x} ${bottom}v4`).join("")}` });
    ticks.forEach((place, at) => {
      const text = axisText(axis, place, step);
      const half = 0.3 * this.em * text.length;
      const x = Math.min(this.size.width - half, Math.max(half, xs[at]));
      this.add("text", { x, y: bottom + 1.35 * this.em, "text-anchor": "middle" }, text);
    });
  }

  drawLines() {
    const { left, right, top, bottom } = this.plot;
    // An svg of its own shows nothing outside of it.
    const [x, y, width, height] = [left, top - 4, right - left + 6, bottom - top + 5];
    const inside = this.add("svg", { x, y, width, height, viewBox: `${x} ${y} ${width} ${height}` });
    this.lines.forEach((line) => {
      const { order, places } = this.scene.series[line.series];
      const d = linePath(order, (index) => {
        if (!line.has[index]) return null;
        return this.isShown(line.values[index]) ? [this.xOf(places[index]), this.yOf(line.values[index])] : undefined;
      });
      inside.append(this.paint(svg("path", { class: "line", d }), line));
    });
  }

  isShown(value) {
    return Number.isFinite(value) && (!this.isLog || value > 0);
  }

  isInRange(value) {
    return this.isShown(value) && value >= this.range[0] && value <= this.range[1];
  }

  /* How a value is drawn that is not on its line: as a mark on an edge. What a logarithm has no place
     for is none; it is said beside the chart. */
  oddKind(value) {
    if (Number.isNaN(value)) return "nan";
    if (value > this.range[1]) return "above";
    return value < this.range[0] && !(this.isLog && value <= 0) ? "below" : null;
  }

  drawOdd() {
    const { top, bottom } = this.plot;
    const found = { nan: [], above: [], below: [], missed: [] };
    for (const { order, places, entries } of this.scene.series) {
      for (const index of order) if (!entries[index].file) found.missed.push(this.xOf(places[index]));
    }
    for (const { series, values, has } of this.lines) {
      const { order, places } = this.scene.series[series];
      for (const index of order) {
        const kind = has[index] ? this.oddKind(values[index]) : null;
        if (kind !== null) found[kind].push(this.xOf(places[index]));
      }
    }
    this.add("path", { class: "odd stroke", d: marksPath(found.nan, (x) => `M${x - 3} ${bottom - 7}l6 6m0-6l-6 6`) });
    this.add("path", { class: "odd stroke", d: marksPath(found.missed, (x) => `M${x} ${bottom}v6`) });
    this.add("path", { class: "odd", d: marksPath(found.above, (x) => `M${x - 4} ${top}h8l-4-6z`) });
    this.add("path", { class: "odd", d: marksPath(found.below, (x) => `M${x - 4} ${bottom - 6}h8l-4 6z`) });
  }

  drawBest() {
    for (const line of this.lines) {
      const { places } = this.scene.series[line.series];
      for (const index of line.best) {
        if (!Number.isFinite(places[index]) || !this.isInRange(line.values[index])) continue;
        const at = { cx: this.xOf(places[index]), cy: this.yOf(line.values[index]), r: 5 };
        this.paint(this.add("circle", { class: "best", ...at }), line);
      }
    }
  }

  /* Mark places, [{series, index}], as those that are on the stage. */
  mark(marks) {
    this.marks = marks;
    this.drawMarks();
  }

  /* Show a cursor at a place, {series, index}, or none. */
  point(cursor) {
    this.cursor = cursor;
    this.drawMarks();
  }

  drawMarks() {
    if (!this.plot) return;
    this.moving.replaceChildren();
    for (const mark of this.marks) this.drawMark(mark, "marker");
    if (this.cursor) this.drawMark(this.cursor, "cursor");
  }

  drawMark({ series, index }, kind) {
    const place = this.scene.series[series]?.places[index];
    if (!Number.isFinite(place)) return;
    const x = this.xOf(place);
    this.moving.append(svg("path", { class: kind, d: `M${x} ${this.plot.top - 6}V${this.plot.bottom}` }));
    for (const line of this.lines) {
      if (line.series !== series || !line.has[index] || !this.isInRange(line.values[index])) continue;
      const dot = svg("circle", { class: "dot", cx: x, cy: this.yOf(line.values[index]), r: 3.5 });
      this.moving.append(this.paint(dot, line));
    }
  }

  paint(node, line) {
    return paintLine(node, line, this.scene.series);
  }
}
