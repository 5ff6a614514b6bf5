/* Draws a state of the comparison into the document. What is drawn depends on the state, and on what the
   samples had as far as it is read. */

const LONGEST_SETTING = 120;

const colorOf = (number) => `var(--run-${number})`;

function swatch(number) {
  const node = svg("svg", { class: "swatch", viewBox: "0 0 1 1", "aria-hidden": "true" });
  const square = svg("rect", { width: 1, height: 1 });
  square.style.fill = colorOf(number);
  node.append(square);
  return node;
}

const hiddenText = (text) => element("span", { className: "hidden", textContent: text });

class ComparisonView {
  constructor({ onSample, onView, onPick, valuesOf }) {
    this.valuesOf = valuesOf; // (number of the run, entry): what its samples had, once it is read
    this.known = new WeakMap(); // by entry, what was read of it
    this.stage = new Stage(by("stage"), { onSample, onView });
    this.charts = new Charts(by("charts"), { onPick });
  }

  draw(state, before) {
    const changed = Object.keys(state).filter((name) => state[name] !== before[name]);
    if (changed.includes("playing")) this.drawPlaying(state.playing);
    if (changed.join() === "playing") return;
    const { shown } = state;
    if (changed.includes("runs")) this.drawRuns(state);
    by("comparison").classList.toggle("has-snapshots", state.last >= 0);
    if (state.last < 0) {
      this.drawEmpty("No snapshot yet. The first one appears here as soon as it is saved.");
      this.stage.clear();
      return;
    }
    this.drawEmpty("");
    this.drawPosition(state);
    this.drawShown(state, shown);
    this.drawModes(state);
    this.drawSampleBar(state, shown);
    const places = shown.map(({ entry }, series) => ({ series, index: state.runs[series].history.indexOf(entry) }));
    this.charts.mark(places.filter(({ index }) => index >= 0));
    const drawn = this.drawStage(state, shown);
    this.readValues(state, shown);
    if (state.byKeyboard && state.sample !== before.sample) this.moveFocus(state, before, drawn);
  }

  drawEmpty(text) {
    by("empty").textContent = text;
    by("empty").hidden = text === "";
    by("view").classList.toggle("is-empty", text !== "");
  }

  drawPlaying(playing) {
    by("play").classList.toggle("is-playing", playing);
    describe(by("play"), playing ? "Pause" : "Play");
  }

  drawRuns({ runs }) {
    by("title").textContent = runs.map((run) => run.name).join(" · ");
    document.title = `${runs.map((run) => run.name).join(", ")}: compared`;
    const { text, isWarning } = samplesText(runs);
    by("same-samples").textContent = text;
    by("same-samples").classList.toggle("is-odd", isWarning);
    const series = runs.map((run, number) => ({ name: run.name, color: colorOf(number), entries: run.history }));
    this.charts.set(series);
    by("charts-section").hidden = by("charts").childElementCount === 0;
    for (const side of [0, 1]) {
      const options = runs.map((run, value) => element("option", { value, textContent: run.name }));
      by(`pair-${side}`).replaceChildren(...options);
    }
    this.drawDifferences(runs);
  }

  drawDifferences(runs) {
    const { rows, alike } = differencesOf(runs);
    const nodes = rows.flatMap(({ name, texts }) => [
      element("dt", { textContent: name }),
      ...[...new Set(texts)].map((text) => differenceItem(runs, texts, text)),
    ]);
    by("differences").replaceChildren(...nodes);
    const others = alike === 1 ? "1 other setting is" : `${alike} other settings are`;
    const none = "Nothing that the records tell differs";
    by("alike").textContent = rows.length === 0 ? `${none}; ${alike} settings are alike.` : `${others} alike.`;
  }

  drawPosition(state) {
    const { axis, position, index, last } = state;
    const name = positionText(position, axis);
    by("position").max = last;
    setSlider(by("position"), index, name);
    by("position-name").textContent = name;
    by("place").textContent = axis === "time" ? `${name} after the start` : name;
    by("axis").value = axis;
    for (const id of ["first", "before"]) by(id).disabled = index === 0;
    for (const id of ["after", "last"]) by(id).disabled = index === last;
  }

  drawShown({ runs, axis, position }, shown) {
    const now = Date.now() / 1000;
    const items = runs.map((run, number) => {
      const name = run.page ? element("a", { href: run.page, textContent: run.name }) : run.name;
      const off = offText(run, shown[number], position, axis);
      const entry = shown[number].entry;
      const place = entry === null ? "" : snapshotName(entry, run.severalAnEpoch);
      const text = element("p", { className: "run-state" }, [place, runState(run, now).text].filter(Boolean).join(" · "));
      if (off) text.prepend(element("span", { className: "off", textContent: off }), entry === null ? "" : ": ");
      return element("li", {}, swatch(number), element("div", {}, element("p", { className: "run-name" }, name), text));
    });
    by("runs").replaceChildren(...items);
  }

  drawModes({ mode, pair, runs }) {
    for (const radio of document.getElementsByName("mode")) radio.checked = radio.value === mode;
    by("pair").hidden = mode === "side" || runs.length < 3;
    for (const side of [0, 1]) by(`pair-${side}`).value = pair[side];
  }

  drawSampleBar({ runs, sample, sampleCount }, shown) {
    by("sample-bar").hidden = sample === null;
    if (sample === null) return;
    const name = `Sample ${sample}`;
    by("sample-name").textContent = sampleCount ? `${name} of 0\u2013${sampleCount - 1}` : name;
    by("sample-before").disabled = sample === 0;
    by("sample-after").disabled = sample + 1 >= sampleCount;
    const names = new Set(runs.map((run) => run.samples[sample]).filter(Boolean));
    by("sample-text").textContent = [...names].join(" / ");
  }

  /* Resolves when the pictures are there. */
  drawStage(state, shown) {
    const { runs, axis, position, sample, view } = state;
    const shots = state.onStage.map((number) => {
      const { entry } = shown[number];
      const run = runs[number];
      const off = offText(run, shown[number], position, axis);
      const what = entry === null ? "" : `: ${snapshotName(entry, run.severalAnEpoch)}`;
      return {
        key: String(number),
        title: `${run.name}${what}${off ? ` (${off})` : ""}`,
        color: colorOf(number),
        run,
        entry: entry ?? { reason: "there is no snapshot yet" },
        values: this.known.get(entry ?? this) ?? null,
      };
    });
    const mode = shots.length === 2 ? state.mode : "side";
    const look = { brightness: 1, contrast: 1 };
    return this.stage.show({ shots, sample, order: null, mode, view, picked: null, look });
  }

  /* Read what the samples had, and draw it where that is still what is shown. */
  async readValues(state, shown) {
    this.drawMeasures(state, shown);
    const wanted = (this.wantedValues = {});
    const unread = shown.filter(({ entry }) => entry?.metrics && !this.known.has(entry));
    if (unread.length === 0) return;
    await Promise.all(
      shown.map(async ({ entry }, number) => {
        if (!entry?.metrics || this.known.has(entry)) return;
        const values = await this.valuesOf(number, entry);
        if (values !== null) this.known.set(entry, values);
      }),
    );
    if (wanted !== this.wantedValues) return; // something else is looked at by now
    this.drawMeasures(state, shown);
    this.drawStage(state, shown);
  }

  drawMeasures({ runs, sample }, shown) {
    const columns = shown.map(({ entry }) =>
      sample === null ? meanNumbers(entry) : sampleNumbers(this.known.get(entry ?? this), sample),
    );
    const entries = shown.map(({ entry }) => entry).filter(Boolean);
    const rows = measureRows(columns, (name) => directionOf(name, entries));
    const have = entries.some((entry) => Object.keys(entry.metrics ?? {}).length > 0);
    by("measures-section").hidden = !have;
    by("measures-title").textContent = sample === null ? "Metrics, mean of the samples" : `Sample ${sample}`;
    const heads = runs.map((run, number) =>
      element("th", { scope: "col", title: run.name }, swatch(number), hiddenText(run.name)),
    );
    by("measures-head").replaceChildren(element("th", { scope: "col", textContent: "Name" }), ...heads);
    by("measures").replaceChildren(...rows.map(measureRow));
    by("measures-note").textContent = rows.length === 0 ? "What the single samples had is not in this page." : "";
    by("measures-note").hidden = rows.length > 0;
  }

  /* Who chose a sample by keyboard goes on in its bar, and comes back to its tile. */
  async moveFocus(state, before, drawn) {
    if (before.sample === null) by("all-samples").focus();
    await drawn;
    if (state.sample === null) this.stage.focusTile(before.sample);
  }
}

/* Four digits are all that anybody reads, and room for four runs. */
function digitsText(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value);
}

function measureRow({ name, numbers, best }) {
  const cells = numbers.map((value, number) => {
    const text = value === undefined ? "none" : digitsText(value);
    return element("td", {}, best[number] ? element("strong", { textContent: text, title: "best" }) : text);
  });
  return element("tr", {}, element("th", { scope: "row", textContent: name }), ...cells);
}

/* What some runs have in common and others have not, behind their colours. */
function differenceItem(runs, texts, text) {
  const numbers = runs.map((_, number) => number).filter((number) => texts[number] === text);
  const names = numbers.map((number) => runs[number].name).join(", ");
  const whole = text ?? "not recorded";
  const isCut = whole.length > LONGEST_SETTING;
  const shown = isCut ? `${whole.slice(0, LONGEST_SETTING)}…` : whole;
  const value = element("span", { textContent: shown, title: isCut ? whole : "" });
  return element("dd", {}, ...numbers.map(swatch), hiddenText(`${names}: `), value);
}
