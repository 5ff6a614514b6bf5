/* Draws a state of the comparison into the document. What is drawn depends on the state, and on what the
   samples had as far as it is read. */

const LONGEST_SETTING = 120;
const MOST_TOLD = 128; // samples whose values are read to stand under them

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
  /* `onChange` gets changes of the state, `comparedOf` a run's number, whose values it reads. */
  constructor({ onSample, onChange, onMode, onSort, onPick, comparedOf }) {
    this.onChange = onChange;
    this.comparedOf = comparedOf;
    this.stage = new Stage(by("stage"), { onSample, onView: (view) => onChange({ view }) });
    const onLook = (look) => onChange({ look });
    this.tools = new StageTools(by("tools"), this.stage, { onMode, onSort, onLook });
    this.saving = new Saving(by("save"), by("copy"), () => this.stage.canvases());
    this.classes = new ClassLegend(by("classes"), (picked) => onChange({ picked }));
    this.charts = new Charts(by("charts"), { onPick });
    this.states = []; // of the runs, in words, as of when something came of them
    by("charts-title").after(this.charts.choice);
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
    this.drawPair(state);
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
    const now = Date.now() / 1000;
    this.states = runs.map((run) => runState(run, now).text);
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
    const items = runs.map((run, number) => {
      const name = run.page ? element("a", { href: run.page, textContent: run.name }) : run.name;
      const off = offText(run, shown[number], position, axis);
      const entry = shown[number].entry;
      const place = entry === null ? "" : snapshotName(entry, run.severalAnEpoch);
      const text = element("p", { className: "run-state" }, [place, this.states[number]].filter(Boolean).join(" · "));
      if (off) text.prepend(element("span", { className: "off", textContent: off }), entry === null ? "" : ": ");
      return element("li", {}, swatch(number), element("div", {}, element("p", { className: "run-name" }, name), text));
    });
    by("runs").replaceChildren(...items);
  }

  drawPair({ mode, pair, runs }) {
    by("pair").hidden = mode === "side" || runs.length < 3;
    for (const side of [0, 1]) by(`pair-${side}`).value = pair[side];
  }

  drawSampleBar(state, shown) {
    const { runs, sample, sampleCount } = state;
    by("sample-bar").hidden = sample === null;
    if (sample === null) return;
    const name = `Sample ${sample}`;
    by("sample-name").textContent = sampleCount ? `${name} of 0\u2013${sampleCount - 1}` : name;
    by("sample-before").disabled = state.sampleBeside(-1) === undefined;
    by("sample-after").disabled = state.sampleBeside(1) === undefined;
    const names = new Set(runs.map((run) => run.samples[sample]).filter(Boolean));
    by("sample-text").textContent = [...names].join(" / ");
  }

  /* Resolves when the pictures are there. */
  drawStage(state, shown) {
    const { runs, axis, position, sample, view, look, order } = state;
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
        values: this.knownOf(number, entry),
      };
    });
    const mode = shots.length === 2 ? state.mode : "side";
    const picked = this.drawClasses(state, shots);
    this.tools.draw(state, sortingMeasures(shots[0].entry), order?.samples ? order.name : "reading");
    by("note").textContent = notesText(shots);
    by("note").hidden = by("note").textContent === "";
    const drawn = this.stage.show({ shots, sample, order: order?.samples ?? null, mode, view, picked, look });
    const names = [...shots.map(({ title }) => title), ...(sample === null ? [] : [`sample ${sample}`])];
    drawn.then(() => this.saving.offer(...names));
    return drawn;
  }

  /* The colour of the class that is picked, where all pictures are such that it can be. */
  drawClasses({ picked }, shots) {
    const { classes } = shots[0].run;
    const named = JSON.stringify(classes);
    const isPickable = shots.every(({ run, entry }) => JSON.stringify(run.classes) === named && canPickIn(run, entry));
    this.classes.draw(classes, picked, isPickable);
    by("classes-section").hidden = classes.length === 0;
    return isPickable ? (classes.find(({ id }) => id === picked)?.color ?? null) : null;
  }

  /* What the samples had, as far as it is read. */
  knownOf(number, entry) {
    return entry === null ? null : (this.comparedOf(number)?.values.known(entry) ?? null);
  }

  /* Read what the samples had, and draw it where that is still what is shown. */
  async readValues(state, shown) {
    this.drawMeasures(state, shown);
    const isTold = state.sample !== null || state.sampleCount <= MOST_TOLD;
    const sorts = state.order !== null && state.order.samples === null;
    const unread = shown.flatMap(({ entry }, number) =>
      isTold && entry?.metrics && this.knownOf(number, entry) === null ? [number] : []);
    if (unread.length === 0 && !sorts) return;
    const wanted = (this.wantedValues = {});
    await Promise.all(unread.map((number) => this.comparedOf(number).valuesOf(shown[number].entry)));
    if (wanted !== this.wantedValues) return; // something else is looked at by now
    if (sorts) return this.sort(state, shown);
    this.drawMeasures(state, shown);
    this.drawStage(state, shown);
  }

  /* The samples stand as the first of the pictures has them when that is asked for. */
  async sort({ order, runs, onStage }, shown) {
    const [number] = onStage;
    const { entry } = shown[number];
    const compared = this.comparedOf(number);
    const { by, kind } = order;
    const samples = entry ? await compared.values.order(by, kind, entry, compared.run.history) : null;
    const name = samples && `${runs[number].name}, ${snapshotName(entry, runs[number].severalAnEpoch)}`;
    this.onChange({ order: samples && { ...order, samples, name } });
  }

  drawMeasures({ runs, sample }, shown) {
    const columns = shown.map(({ entry }, number) =>
      sample === null ? meanNumbers(entry) : sampleNumbers(this.knownOf(number, entry), sample),
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


function measureRow({ name, numbers, best }) {
  const cells = numbers.map((value, number) => {
    const text = value === undefined ? "none" : shortNumber(value);
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

/* What of the pictures is no number, each run by its name. */
function notesText(shots) {
  const notes = shots.map(({ run, entry }) => [run.name, notFiniteText(entry)]).filter(([, text]) => text !== "");
  return notes.map((parts) => parts.join(": ")).join(" ");
}
