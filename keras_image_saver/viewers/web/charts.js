/* The metrics as small line charts, one for `name` and `val_name` together. A chart is drawn when it
   comes into view, from at most a few points a pixel. */

const CHART_HEIGHT = 84;
const CHART_EDGE = 4;

/* Each metric's values over the run, NaN where there is none. */
function metricColumns(entries) {
  const columns = new Map();
  entries.forEach((entry, index) => {
    for (const [name, value] of numbersOf(entry)) {
      if (!isNumeric(value)) continue;
      if (!columns.has(name)) columns.set(name, new Float64Array(entries.length).fill(NaN));
      columns.get(name)[index] = numeric(value);
    }
  });
  return columns;
}

/* [lowest, highest] of what is finite, or null. */
function extent(columns) {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (value < low && Number.isFinite(value)) low = value;
      if (value > high && Number.isFinite(value)) high = value;
    }
  }
  return low > high ? null : [low, high];
}

/* A line through what is finite. Where several values fall on a pixel it goes through the lowest and
   the highest, so that no spike is lost; a value between two gaps is a dot. */
function linePath(values, xOf, yOf) {
  let path = "";
  let run = [];
  const end = () => {
    if (run.length === 1) run.push([run[0][0] + 0.01, run[0][1]]); // round caps make it a dot
    if (run.length) path += `M${run.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}`;
    run = [];
  };
  for (let index = 0; index < values.length; ) {
    const x = xOf(index);
    const pixel = Math.floor(x);
    let low = Infinity;
    let high = -Infinity;
    let broken = false;
    for (; index < values.length && Math.floor(xOf(index)) === pixel; index++) {
      if (Number.isFinite(values[index])) {
        low = Math.min(low, values[index]);
        high = Math.max(high, values[index]);
      } else {
        broken = true;
      }
    }
    if (broken) end();
    if (low > high) continue;
    run.push([x, yOf(high)]);
    if (low < high) run.push([x, yOf(low)]);
    if (broken) end();
  }
  end();
  return path;
}

class Chart {
  constructor(names, onPick) {
    this.names = names;
    this.onPick = onPick;
    this.columns = [];
    this.isVisible = false;
    this.isDrawn = false;
    this.values = names.map((name, series) => this.legend(name, series));
    this.svg = svg("svg", { role: "img", height: CHART_HEIGHT, class: "chart" });
    this.lines = names.map((_, series) => svg("path", { class: `line series-${series}` }));
    this.marker = svg("line", { class: "marker", y1: 0, y2: CHART_HEIGHT });
    this.dots = names.map((_, series) => svg("circle", { class: `dot series-${series}`, r: 3.5 }));
    this.svg.append(this.marker, ...this.lines, ...this.dots);
    this.bounds = element("p", { className: "bounds" });
    this.root = element(
      "figure",
      { className: "metric" },
      element("figcaption", {}, ...this.values.map((value) => value.parentElement)),
      this.svg,
      this.bounds,
    );
    this.svg.addEventListener("pointerdown", (event) => this.pick(event));
    this.svg.addEventListener("pointermove", (event) => event.buttons === 1 && this.pick(event));
  }

  legend(name, series) {
    const value = element("span", { className: "value" });
    element(
      "span",
      { className: `legend series-${series}` },
      element("span", { className: "name", textContent: name, title: name }),
      value,
    );
    return value;
  }

  pick(event) {
    const { left, width } = this.svg.getBoundingClientRect();
    const share = (event.clientX - left - CHART_EDGE) / (width - 2 * CHART_EDGE);
    this.onPick(Math.round(Math.min(1, Math.max(0, share)) * (this.count - 1)));
  }

  set(columns) {
    this.columns = this.names.map((name) => columns.get(name));
    this.range = extent(this.columns);
    this.bounds.textContent = this.range
      ? `${shortNumber(this.range[0])} to ${shortNumber(this.range[1])}`
      : "no finite value";
    this.isDrawn = false;
  }

  get count() {
    return this.columns[0].length;
  }

  xOf(index) {
    const room = this.width - 2 * CHART_EDGE;
    return CHART_EDGE + (this.count > 1 ? (room * index) / (this.count - 1) : room / 2);
  }

  yOf(value) {
    const [low, high] = this.range;
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return CHART_HEIGHT - CHART_EDGE - share * (CHART_HEIGHT - 2 * CHART_EDGE);
  }

  draw(index) {
    if (!this.isVisible) return;
    if (!this.isDrawn) this.drawLines();
    this.drawMarker(index);
  }

  drawLines() {
    this.width = this.svg.clientWidth || 300;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${CHART_HEIGHT}`);
    this.lines.forEach((line, series) => {
      const path = (values) => linePath(values, (i) => this.xOf(i), (value) => this.yOf(value));
      line.setAttribute("d", this.range ? path(this.columns[series]) : "");
    });
    this.svg.classList.add("is-drawn");
    this.isDrawn = true;
  }

  drawMarker(index) {
    const x = this.xOf(index);
    this.marker.setAttribute("x1", x);
    this.marker.setAttribute("x2", x);
    this.dots.forEach((dot, series) => {
      const value = this.columns[series][index];
      dot.style.display = Number.isFinite(value) ? "" : "none";
      if (!Number.isFinite(value)) return;
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", this.yOf(value));
    });
  }

  describe(entry) {
    const numbers = new Map(numbersOf(entry));
    const texts = this.names.map((name, series) => {
      const value = numbers.get(name);
      const text = isNumeric(value) ? shortNumber(value) : "none";
      this.values[series].textContent = text;
      return `${name} ${text}`;
    });
    const label = `${texts.join(", ")} at ${epochName(entry)}; over the run ${this.bounds.textContent}`;
    describe(this.svg, label);
  }
}

class Charts {
  constructor(root, onPick) {
    this.root = root;
    this.onPick = onPick;
    this.charts = new Map(); // by the names drawn in it
    this.seer = new IntersectionObserver((seen) => this.see(seen), { rootMargin: "200px" });
    new ResizeObserver(() => this.redraw()).observe(root);
  }

  set(entries) {
    const columns = metricColumns(entries);
    const groups = [...columns.keys()]
      .filter((name) => !(name.startsWith("val_") && columns.has(name.slice(4))))
      .map((name) => (columns.has(`val_${name}`) ? [name, `val_${name}`] : [name]));
    const wanted = new Map(groups.map((names) => [JSON.stringify(names), names]));
    for (const [key, chart] of this.charts) {
      if (!wanted.has(key)) this.remove(key, chart);
    }
    for (const [key, names] of wanted) {
      if (!this.charts.has(key)) this.add(key, new Chart(names, this.onPick));
      this.charts.get(key).set(columns);
    }
  }

  add(key, chart) {
    this.charts.set(key, chart);
    this.root.append(chart.root);
    this.seer.observe(chart.root);
  }

  remove(key, chart) {
    this.charts.delete(key);
    this.seer.unobserve(chart.root);
    chart.root.remove();
  }

  mark(index, entry) {
    this.index = index;
    this.entry = entry;
    for (const chart of this.charts.values()) this.refresh(chart);
  }

  refresh(chart) {
    chart.draw(this.index);
    chart.describe(this.entry);
  }

  see(seen) {
    for (const { target, isIntersecting } of seen) {
      const chart = [...this.charts.values()].find((one) => one.root === target);
      if (!chart) continue;
      chart.isVisible = isIntersecting;
      if (isIntersecting && this.entry) this.refresh(chart);
    }
  }

  redraw() {
    for (const chart of this.charts.values()) chart.isDrawn = false;
    if (this.entry) this.mark(this.index, this.entry);
  }
}
