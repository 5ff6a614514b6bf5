/* A metric: its name, what it is now, its chart, and the ways from there to the best snapshot and the
   worst samples. Nothing but the name is made before it comes into view. */

const MOST_WORST = 3;

function metricButton(onclick) {
  return element("button", { type: "button", className: "small", onclick });
}

class MetricRow {
  constructor(names, { onPick, onSample = null }) {
    this.names = names;
    this.onPick = onPick;
    this.onSample = onSample;
    this.isVisible = false;
    this.isDrawn = false;
    this.isLog = false;
    this.isWhole = false;
    this.marks = [];
    this.name = element("span", { className: "name", title: cutText(names[0]), textContent: cutText(names[0]) });
    this.caption = element("figcaption", {}, this.name);
    this.root = element("figure", { className: "metric" }, this.caption);
  }

  set({ lines }, scene) {
    Object.assign(this, { lines, scene, isDrawn: false });
  }

  /* Bring what can be seen up to date. */
  refresh() {
    if (!this.isVisible) return;
    if (!this.chart) this.build();
    this.chart.mark(this.marks);
    if (!this.isDrawn) this.draw();
    this.drawNumbers();
    this.drawWorst();
    if (this.ranges && !this.cursor.at) this.cursor.describe();
  }

  /* The buttons stay what they are, so that a snapshot that comes takes the focus from none of them. */
  build() {
    this.chart = new Chart();
    this.cursor = new ChartCursor(this.chart, this.onPick);
    this.numbers = element("span", { className: "numbers" });
    this.marked = element("ul", { className: "marked" });
    this.plot = element("div", { className: "plot" }, this.chart.svg, this.chart.moving, this.cursor.readout);
    this.notes = element("p", { className: "notes" });
    this.bests = { least: metricButton(), most: metricButton() };
    this.log = metricButton(() => this.toggle("isLog"));
    this.whole = metricButton(() => this.toggle("isWhole"));
    this.tools = element("div", { className: "tools" }, ...Object.values(this.bests), this.log, this.whole);
    this.worstText = element("span");
    this.unknown = element("span", { className: "is-odd" });
    this.samples = Array.from({ length: MOST_WORST }, () => metricButton((event) =>
      this.onSample(Number(event.target.textContent), event.detail === 0)));
    this.worst = element("p", { className: "worst" }, this.worstText, ...this.samples, this.unknown);
    this.caption.append(this.numbers);
    this.root.append(this.marked, this.plot, this.notes, this.tools, this.worst);
    this.root.classList.add("is-built");
  }

  draw() {
    const judged = this.lines.filter((line) => line.name === this.names.at(-1));
    const direction = this.directionOf(judged);
    for (const line of this.lines) {
      const best = judged.includes(line) && direction ? bestPlace(line.values, direction) : -1;
      line.best = best < 0 ? [] : [best];
    }
    this.ranges = rangesOf(this.lines.map(({ values }) => values), this.isLog);
    this.plot.hidden = this.ranges === null;
    if (this.ranges) {
      const shown = this.isWhole ? this.ranges.whole : this.ranges.shown;
      this.chart.set(this.lines, this.scene, { whole: this.ranges.whole, shown }, this.isLog);
      this.chart.draw();
      this.cursor.move(null);
    }
    this.drawNotes();
    this.drawTools();
    for (const way of ["least", "most"]) this.drawBest(way, judged, direction);
    this.isDrawn = true;
  }

  directionOf(lines) {
    for (const { series, name } of lines) {
      const found = directionOf(name, this.scene.series[series].entries);
      if (found) return found;
    }
    return null;
  }

  toggle(property) {
    this[property] = !this[property];
    this.isDrawn = false;
    this.refresh();
  }

  drawNotes() {
    const { nan, infinite } = oddCounts(this.lines);
    const unfit = this.isLog ? this.countOf((value) => value <= 0 && value > -Infinity) : 0;
    const { whole, shown, above, below } = this.ranges ?? {};
    const isCut = this.ranges && !this.isWhole;
    const found = [
      ["", !this.ranges && (this.isLog ? "no value above 0" : "no finite value")],
      ["\u00d7", nan > 0 && `${nan} NaN`],
      ["", infinite > 0 && `${infinite} infinite`],
      ["\u25b2", isCut && above > 0 && `${above} above ${shortNumber(shown[1])}, up to ${shortNumber(whole[1])}`],
      ["\u25bc", isCut && below > 0 && `${below} below ${shortNumber(shown[0])}, down to ${shortNumber(whole[0])}`],
      ["", unfit > 0 && `${unfit} not above 0, not drawn`],
    ].filter(([, text]) => text);
    this.notes.replaceChildren(...found.map(([glyph, text]) => {
      const mark = element("span", { className: "glyph", textContent: glyph });
      mark.setAttribute("aria-hidden", "true");
      return element("span", { className: "note" }, ...(glyph ? [mark] : []), text);
    }));
  }

  countOf(test) {
    return this.lines.reduce((count, { values, has }) =>
      count + values.filter((value, index) => has[index] && test(value)).length, 0);
  }

  drawTools() {
    const isFlat = !this.ranges || this.ranges.whole[0] === this.ranges.whole[1];
    const isCut = this.ranges && this.ranges.above + this.ranges.below > 0;
    this.drawSwitch(this.log, "Log", `Log scale of ${this.names[0]}`, this.isLog, isFlat && !this.isLog);
    this.drawSwitch(this.whole, "Whole range", `Whole range of ${this.names[0]}`, this.isWhole, !isCut);
  }

  drawSwitch(button, text, label, isPressed, isHidden) {
    Object.assign(button, { textContent: text, hidden: isHidden });
    describe(button, label);
    button.setAttribute("aria-pressed", String(isPressed));
  }

  /* A button to the least or the most: to both where nothing tells which is the better one. */
  drawBest(way, judged, direction) {
    const button = this.bests[way];
    const best = direction && direction !== way ? null : bestOf(judged, way);
    button.hidden = best === null;
    if (best === null) return;
    const { line, index } = best;
    const { name, entries, several } = this.scene.series[line.series];
    const word = direction ? "Best" : way === "least" ? "Least" : "Most";
    const validation = this.names.length > 1 ? " val" : "";
    const run = this.scene.series.length > 1 ? `, ${name}` : "";
    const place = snapshotName(entries[index], several);
    button.textContent = `${word}${validation} ${shortNumber(line.values[index])} at ${place}${run}`;
    describe(button, `${button.textContent}, of ${line.name}`);
    button.title = button.textContent;
    button.onclick = () => this.onPick(line.series, index);
  }

  /* What it is at each mark: beside the name where one is marked, else a line each. */
  drawNumbers() {
    const isAlone = this.scene.series.length === 1;
    const isOne = isAlone && this.marks.length === 1;
    this.numbers.replaceChildren(...(isOne ? this.numbersAt(this.marks[0], true) : []));
    this.marked.hidden = isOne;
    this.marked.replaceChildren(...(isOne ? [] : this.marks.map((mark) => this.numbersOf(mark, isAlone))));
  }

  /* Of one run the places are told apart by their names, of several the runs by their lines. */
  numbersOf(mark, isAlone) {
    const { name, entries, several } = this.scene.series[mark.series];
    const text = isAlone ? snapshotName(entries[mark.index], several) : name;
    const label = element("span", { className: isAlone ? "of place" : "of", title: text, textContent: text });
    const numbers = element("span", { className: "numbers" }, ...this.numbersAt(mark, isAlone));
    const keys = isAlone ? [] : [runSwatch(mark.series, this.scene.series)];
    return element("li", {}, ...keys, label, numbers);
  }

  numbersAt({ series, index }, hasKeys) {
    const lines = this.lines.filter((line) => line.series === series);
    if (lines.length === 0) return [element("b", { className: "value", textContent: "none" })];
    return lines.map((line) => {
      const isOdd = line.has[index] && !Number.isFinite(line.values[index]);
      const value = element("b", { className: `value${isOdd ? " is-odd" : ""}`, textContent: lineText(line, index) });
      const keys = hasKeys && this.lines.length > 1 ? [lineSwatch(line, this.scene.series)] : [];
      const name = line.rank > 0 ? [element("span", { className: "of", textContent: "val" })] : [];
      return element("span", { className: "number" }, ...keys, ...name, value);
    });
  }

  /* Buttons to the samples that a measure found worst, where samples can be gone to. */
  drawWorst() {
    const mark = this.marks.at(-1);
    const entry = mark && this.onSample ? this.scene.series[mark.series].entries[mark.index] : undefined;
    const found = measureOf(entry, this.names[0]);
    this.worst.hidden = found === undefined;
    if (found === undefined) return;
    const samples = worstOf(found).slice(0, MOST_WORST);
    this.worstText.textContent = samples.length ? "mean of the samples, worst" : "of all samples together";
    this.unknown.textContent = unknownText(found);
    this.samples.forEach((button, at) => {
      button.hidden = at >= samples.length;
      button.textContent = samples[at];
      describe(button, `Sample ${samples[at]} alone, one of the worst by ${this.names[0]}`);
    });
  }
}
