/* All metrics of one run, or of several, a row each, over one axis. */

class Charts {
  /* `onPick(series, index)`: go to a snapshot; `onSample(sample, byKeyboard)`: show it alone, without
     which no row leads to samples. `choice` is the control of the axis, for whoever has a place for it. */
  constructor(root, { onPick, onSample = null }) {
    this.root = root;
    this.wants = { onPick, onSample };
    this.rows = new Map(); // by the names drawn in them
    this.byRoot = new Map();
    this.series = [];
    this.marks = [];
    this.axis = null;
    this.select = element("select", { onchange: () => this.showBy(this.select.value) });
    describe(this.select, "Axis of the charts");
    this.choice = element("span", { className: "axis" }, this.select);
    this.seer = new IntersectionObserver((seen) => this.see(seen), { rootMargin: "200px" });
    this.width = null;
    new ResizeObserver(() => this.redraw()).observe(root);
  }

  /* Show series, [{name, color, entries}]: an empty name for one run, a color of null for our own. */
  set(series) {
    this.series = series;
    this.groups = groupsOf(series.map(({ entries }) => columnsOf(entries)));
    const wanted = new Map(this.groups.map((group) => [JSON.stringify(group.names), group]));
    for (const [key, row] of this.rows) if (!wanted.has(key)) this.remove(key, row);
    for (const [key, { names }] of wanted) if (!this.rows.has(key)) this.add(key, new MetricRow(names, this.wants));
    this.axes = axesOf(series);
    this.select.replaceChildren(...this.axes.map((value) => element("option", { value, textContent: AXES[value] })));
    this.choice.hidden = this.axes.length < 2;
    this.showBy(this.axes.includes(this.axis) ? this.axis : this.axes[0]);
  }

  /* Lay everything out over "epoch", "step" or "time". */
  showBy(axis) {
    this.axis = this.select.value = axis;
    const series = this.series.map((one) => {
      const places = placesOn(axis, one.entries);
      return { ...one, places, order: orderOf(places), several: haveSeveralAnEpoch(one.entries) };
    });
    const span = extent(series.map(({ places }) => places)) ?? [0, 0];
    const scene = { series, axis, span };
    for (const group of this.groups) this.rows.get(JSON.stringify(group.names)).set(group, scene);
    this.mark(this.marks.filter(({ series: run, index }) => index < (series[run]?.entries.length ?? 0)));
  }

  /* Mark places, [{series, index}]; the values beside the names are those there. */
  mark(marks) {
    this.marks = marks;
    for (const row of this.rows.values()) this.refresh(row);
  }

  refresh(row) {
    row.marks = this.marks;
    row.refresh();
  }

  add(key, row) {
    this.rows.set(key, row);
    this.byRoot.set(row.root, row);
    this.root.append(row.root);
    this.seer.observe(row.root);
  }

  remove(key, row) {
    this.rows.delete(key);
    this.byRoot.delete(row.root);
    this.seer.unobserve(row.root);
    row.root.remove();
  }

  see(seen) {
    for (const { target, isIntersecting } of seen) {
      const row = this.byRoot.get(target);
      if (!row) continue;
      row.isVisible = isIntersecting;
      row.root.classList.toggle("is-seen", isIntersecting);
      this.refresh(row);
    }
  }

  /* Where there is more or less room for the charts; the rows' own heights change nothing. */
  redraw() {
    if (this.root.clientWidth === this.width) return;
    this.width = this.root.clientWidth;
    for (const row of this.rows.values()) row.isDrawn = false;
    this.mark(this.marks);
  }
}
