/* The cursor of a chart: what stands under the pointer, or where the arrow keys are, is told beside it,
   and a click or Enter goes there. */

const LEAP = 0.1; // of the snapshots, by Page Up and Page Down

/* What a line has at an entry, for people. */
function lineText(line, index) {
  return line.has[index] ? shortNumber(line.values[index]) : "none";
}

/* What a line is called beside the chart that says what it is of. */
function lineName(line, all) {
  if (all.length > 1) return all[line.series].name;
  return line.rank > 0 ? "val" : "";
}

class ChartCursor {
  constructor(chart, onPick) {
    this.chart = chart;
    this.onPick = onPick;
    this.at = null; // {series, position}: in the order of that series
    this.readout = element("div", { className: "readout", hidden: true });
    this.readout.setAttribute("aria-hidden", "true"); // the chart's value says the same
    this.svg = chart.svg;
    this.svg.setAttribute("tabindex", 0);
    this.svg.setAttribute("role", "slider");
    this.svg.addEventListener("pointerdown", (event) => event.pointerType === "mouse" && this.pick(event));
    this.svg.addEventListener("click", (event) => this.pick(event)); // a finger that scrolls makes none
    this.svg.addEventListener("pointermove", (event) => this.follow(event));
    this.svg.addEventListener("pointerleave", () => this.move(null));
    this.svg.addEventListener("blur", () => this.move(null));
    this.svg.addEventListener("keydown", (event) => this.press(event));
  }

  get series() {
    return this.chart.scene.series;
  }

  /* What is nearest to the pointer: by its place, of several runs by the value too. */
  under({ clientX, clientY }) {
    const { left, top } = this.chart.svg.getBoundingClientRect();
    const place = this.chart.placeAt(clientX - left);
    const lines = this.chart.lines.filter((line) => this.series[line.series].order.length > 0);
    const found = lines.map(({ series, values, has }) => {
      const { order, places } = this.series[series];
      const position = nearestTo(place, order, places);
      const index = order[position];
      const isThere = has[index] && this.chart.isShown(values[index]);
      return { series, position, far: isThere ? Math.abs(this.chart.yOf(values[index]) - (clientY - top)) : 1e6 };
    });
    return found.sort((a, b) => a.far - b.far)[0] ?? null;
  }

  follow(event) {
    if (event.buttons === 1) this.pick(event);
    else this.move(this.under(event));
  }

  pick(event) {
    const at = this.under(event);
    if (!at) return;
    this.move(event.pointerType === "mouse" ? at : null);
    this.go(at);
  }

  go({ series, position }) {
    this.onPick(series, this.series[series].order[position]);
  }

  move(at) {
    this.at = at;
    this.chart.point(at && { series: at.series, index: this.series[at.series].order[at.position] });
    this.readout.hidden = at === null;
    if (at) this.tell();
    this.describe();
  }

  /* Where the arrows begin: at what is on the stage. */
  get start() {
    const [mark] = this.chart.marks.slice(-1);
    const series = mark ? mark.series : (this.chart.lines[0]?.series ?? 0);
    const position = mark ? this.series[series]?.order.indexOf(mark.index) : 0;
    return { series, position: Math.max(0, position ?? 0) };
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.at ?? this.start;
    if (!this.series[at.series]?.order.length) return;
    const next = event.key === "Escape" ? null : this.stepped(event.key, at);
    if (next === undefined || (next === null && !this.at)) return;
    event.preventDefault();
    event.stopPropagation(); // the page has uses for the same keys
    this.move(next);
    if (event.key === "Enter") this.go(at);
  }

  /* Where a key leads; undefined if it is none of ours. */
  stepped(key, { series, position }) {
    const last = this.series[series].order.length - 1;
    const leap = Math.max(1, Math.round(LEAP * last));
    const to = {
      ArrowLeft: position - 1,
      ArrowRight: position + 1,
      PageDown: position - leap,
      PageUp: position + leap,
      Home: 0,
      End: last,
      Enter: position,
    };
    if (Object.hasOwn(to, key)) return { series, position: Math.min(last, Math.max(0, to[key])) };
    const step = { ArrowUp: -1, ArrowDown: 1 }[key];
    return step && this.series.length > 1 ? this.otherRun(series, position, step) : undefined;
  }

  otherRun(series, position, step) {
    const runs = [...new Set(this.chart.lines.map((line) => line.series))];
    const next = runs[(runs.indexOf(series) + step + runs.length) % runs.length];
    const { order, places } = this.series[series];
    const other = this.series[next];
    return { series: next, position: nearestTo(places[order[position]], other.order, other.places) };
  }

  /* [line, index, text of where it is if that is elsewhere] of what stands at the cursor. */
  found({ series, index }) {
    const { entries, places } = this.series[series];
    const title = this.title(series, index);
    return this.chart.lines.flatMap((line) => {
      const other = this.series[line.series];
      const at = line.series === series ? index : other.order[nearestTo(places[index], other.order, other.places)];
      if (at === undefined) return [];
      const where = other.entries[at] === entries[index] ? title : this.title(line.series, at);
      return [{ line, index: at, where: where === title ? "" : where }];
    });
  }

  title(series, index) {
    const { entries, places, several } = this.series[series];
    const name = snapshotName(entries[index], several);
    const time = this.chart.scene.axis === "time" ? `, ${timeText(places[index])}` : "";
    return name + time + (entries[index].file ? "" : " (missed)");
  }

  tell() {
    const place = this.chart.cursor;
    const rows = this.found(place).map(({ line, index, where }) => {
      const value = element("b", { textContent: lineText(line, index) });
      const name = element("span", { className: "of", textContent: lineName(line, this.series) });
      const elsewhere = element("span", { textContent: where });
      return element("p", {}, lineSwatch(line, this.series), name, value, elsewhere);
    });
    this.readout.replaceChildren(element("p", { textContent: this.title(place.series, place.index) }), ...rows);
    const x = this.chart.xOf(this.series[place.series].places[place.index]);
    this.readout.classList.toggle("is-left", x > this.chart.size.width / 2);
  }

  describe() {
    const { lines, whole, cursor, marks, svg: node } = this.chart;
    const place = cursor ?? marks.at(-1);
    const { entries = [] } = this.series[place?.series] ?? {};
    const name = [...new Set(lines.map((line) => line.name))].join(", ");
    describe(node, `${name} over the run, ${shortNumber(whole[0])} to ${shortNumber(whole[1])}`);
    node.setAttribute("aria-valuemin", 0);
    node.setAttribute("aria-valuemax", Math.max(0, entries.length - 1));
    node.setAttribute("aria-valuenow", place?.index ?? 0);
    node.setAttribute("aria-valuetext", place ? this.textAt(place) : "nothing");
  }

  textAt(place) {
    const values = this.found(place).map(({ line, index, where }) => {
      const name = this.series.length > 1 ? this.series[line.series].name : line.name;
      return `${name} ${lineText(line, index)}${where && ` at ${where}`}`;
    });
    return `${this.title(place.series, place.index)}: ${values.join(", ")}`;
  }
}
