/* Draws a state into the document. What is drawn depends on the state alone. */

const NEWER = "This run was recorded by a newer version of keras_image_saver";

function drawNotice(text) {
  by("notices").append(element("p", { className: "notice", textContent: text }));
}

const MOST_TOLD = 128; // samples whose values are read to stand under them

class View {
  /* `onStage` gets what is changed by the stage's tools: the name of a field of the state, and its value. */
  constructor(onSnapshot, onSample, onHistory, onStage) {
    this.values = new SampleValues();
    this.onStage = onStage;
    this.stage = new Stage(by("stage"), { onSample, onView: (view) => onStage("view", view) });
    this.tools = new StageTools(by("tools"), this.stage, {
      onMode: (mode) => onStage("mode", mode),
      onSort: (by, kind) => onStage("order", by === null ? null : { by, kind, at: null, samples: null }),
      onLook: (look) => onStage("look", look),
    });
    this.classes = new ClassLegend(by("classes"), (picked) => onStage("picked", picked));
    this.saving = new Saving(by("save"), by("copy"), () => this.stage.canvases());
    this.strip = new Strip(by("strip"), onSnapshot);
    this.facts = new Facts(onHistory, onSample);
    by("run").textContent = document.title = folderName(FOLDER);
  }

  /* Draw what is shown now instead of what was before. */
  draw(state, before) {
    const changed = Object.keys(state).filter((name) => state[name] !== before[name]);
    if (changed.includes("playing")) this.drawPlaying(state.playing);
    if (changed.join() === "playing") return; // nothing else looks different then
    if (changed.join() === "view") return this.stage.setView(state.view);
    if (["said", "isNewer", "lost"].some((name) => changed.includes(name))) this.drawNotices(state);
    if (changed.includes("entries")) this.drawRecord(state);
    if (changed.includes("entries") || changed.includes("mode")) this.drawSliders(state);
    by("newest").hidden = !state.behind;
    by("state").textContent = state.standsText;
    by("follow").hidden = ["finished", "failed"].includes(state.stands) && !state.behind;
    by("live").hidden = !state.following || state.stands !== "running";
    document.body.classList.toggle("has-run", Boolean(state.entry));
    if (state.entry) this.drawSnapshot(state, before);
    else this.drawNoSnapshot(state);
  }

  drawPlaying(playing) {
    by("play").classList.toggle("is-playing", playing);
    describe(by("play"), playing ? "Pause" : "Play");
  }

  drawNotices({ isNewer, lost, said }) {
    by("notices").replaceChildren();
    if (said) drawNotice(said);
    if (isNewer) drawNotice(`${NEWER}: what this page does not know is not shown.`);
    if (lost) drawNotice(`${lost} parts of the record cannot be read; their snapshots are not shown.`);
  }

  drawRecord({ history }) {
    by("counts").textContent = countsText(history);
    this.facts.set(history);
  }

  drawSliders(state) {
    const { entries, comparing } = state;
    // The room of the longest name, so that a slider is as long wherever it stands.
    const longest = entries.reduce((most, entry) => Math.max(most, state.nameOf(entry).length), 0);
    by("sliders").style.setProperty("--name-length", `${longest}ch`);
    for (const slider of [by("position"), by("pin")]) slider.max = Math.max(0, entries.length - 1);
    by("pin-row").hidden = !comparing;
    by("position-label").textContent = comparing ? "Second" : "Snapshot";
    by("compare").setAttribute("aria-pressed", String(comparing));
    by("compare").hidden = entries.length < 2 && !comparing;
    this.drawMarks(entries);
  }

  /* A tick under the slider for each missed snapshot. */
  drawMarks(entries) {
    const marks = by("marks");
    const places = missedPlaces(entries, marks.clientWidth);
    marks.firstElementChild.setAttribute("d", places.map((x) => `M${x} 0V5`).join(""));
  }

  drawNoRecord() {
    this.drawEmpty("There is no record of a run beside this page, or the browser may not read it.");
  }

  drawNoSnapshot({ stands }) {
    const ended = stands === "finished" || stands === "failed";
    const later = "No snapshot yet. The first one appears here as soon as it is saved.";
    this.drawEmpty(ended ? "This run has no snapshot." : later);
    this.stage.clear();
  }

  drawEmpty(text) {
    by("empty").textContent = text;
    by("empty").hidden = text === "";
    by("view").classList.toggle("is-empty", text !== "");
  }

  drawSnapshot(state, before) {
    this.drawEmpty("");
    this.drawPosition(state);
    this.facts.draw(state.entry, state.placesOnStage);
    this.drawSampleBar(state);
    const drawn = this.drawStage(state);
    drawn.then(() => this.offerSaving(state));
    if (state.byKeyboard && state.sample !== before.sample) this.moveFocus(state, before, drawn);
  }

  drawPosition(state) {
    const { entry, pinned, index, comparing } = state;
    const name = state.nameOf(entry);
    setSlider(by("position"), index, name);
    by("position-name").textContent = name;
    if (comparing) {
      setSlider(by("pin"), state.pin, state.nameOf(pinned));
      by("pin-name").textContent = state.nameOf(pinned);
    }
    for (const id of ["first", "before"]) by(id).disabled = index === 0;
    for (const id of ["after", "last"]) by(id).disabled = index === state.last;
    document.title = `${name} - ${folderName(FOLDER)}`;
  }

  /* What the sample that is shown alone had. */
  drawValues({ sample }, values) {
    const rows = sample === null ? [] : [...(values ?? [])].filter(([, found]) => found.length > 1);
    by("values").replaceChildren(...rows.map(([name, found]) => logRow(name, found[sample] ?? NaN)));
    by("values-title").textContent = sample === null ? "" : `Sample ${sample}`;
    by("values-section").hidden = rows.length === 0;
  }

  drawSampleBar(state) {
    const { entries, index, run, sample, sampleCount, severalAnEpoch } = state;
    by("sample-bar").hidden = by("strip").hidden = sample === null;
    if (sample === null) return this.strip.clear();
    const name = `Sample ${sample}`;
    by("sample-name").textContent = sampleCount ? `${name} of 0\u2013${sampleCount - 1}` : name;
    by("sample-before").disabled = state.sampleBeside(-1) === undefined;
    by("sample-after").disabled = state.sampleBeside(1) === undefined;
    by("sample-text").textContent = run.samples[sample] ?? "";
    describe(by("strip"), `${name} at every ${severalAnEpoch ? "step" : "epoch"}`);
    this.strip.set(entries, sample, run.fixedPanels, severalAnEpoch);
    return this.strip.mark(index);
  }

  /* Resolves when the pictures are there. */
  drawStage(state) {
    const { entry, pinned, run, sample, mode, order, look, picked } = state;
    const isPickable = canPickIn(run, entry);
    const color = run.classes.find(({ id }) => id === picked)?.color ?? null;
    const shot = (key, one) => ({
      key,
      title: state.nameOf(one),
      color: null,
      run,
      entry: one,
      values: this.values.known(one) ?? null,
    });
    const right = shot("right", entry);
    const drawn = this.stage.show({
      shots: mode === null ? [right] : [shot("left", pinned), right],
      sample,
      order: order?.samples ?? null,
      mode,
      view: state.view,
      picked: isPickable ? color : null,
      look,
    });
    this.drawValues(state, right.values);
    this.tools.draw(state, sortingMeasures(entry), order?.samples ? this.nameOfOrder(state) : "reading");
    this.classes.draw(run.classes, picked, isPickable);
    by("classes-section").hidden = run.classes.length === 0;
    by("note").textContent = notFiniteText(entry);
    by("note").hidden = by("note").textContent === "";
    this.readValues(state);
    return drawn;
  }

  offerSaving(state) {
    const { run, entry, pinned, comparing, sample } = state;
    const names = [...(comparing ? [pinned] : []), entry].map((one) => state.nameOf(one));
    this.saving.offer(run.name, ...names, ...(sample === null ? [] : [`sample ${sample}`]));
  }

  nameOfOrder({ order, history, severalAnEpoch }) {
    const entry = history.find(({ step }) => step === order.at);
    return entry ? snapshotName(entry, severalAnEpoch) : `step ${order.at}`;
  }

  /* Read what is wanted of the samples' values and draw again; for many samples they are told one at a
     time, so that scrubbing through them reads nothing. */
  async readValues(state) {
    const { entry, pinned, mode, sample, order, recordText } = state;
    const isTold = sample !== null || state.sampleCount <= MOST_TOLD;
    const entries = mode === null ? [entry] : [pinned, entry];
    const missing = isTold ? entries.filter((one) => this.values.known(one) === undefined) : [];
    const sorts = order !== null && order.samples === null;
    if (!missing.length && !sorts) return;
    const wanted = (this.wantedValues = {});
    for (const one of missing) await this.values.of(one, recordText);
    if (sorts) await this.sort(state);
    else if (wanted === this.wantedValues) this.onStage("valuesRead", {});
  }

  /* An order stands as it was at the snapshot where it was chosen. */
  async sort({ entry, history, order, recordText }) {
    if (this.sorting === order) return;
    this.sorting = order;
    const at = order.at === null ? entry : (history.find(({ step }) => step === order.at) ?? entry);
    const samples = await this.values.order(order.by, order.kind, at, recordText);
    if (this.sorting === order) this.onStage("order", samples && { ...order, at: at.step, samples });
  }

  /* Who chose a sample by keyboard goes on in its bar, and comes back to its tile. */
  async moveFocus(state, before, drawn) {
    if (before.sample === null) by("all-samples").focus();
    await drawn;
    if (state.sample === null) this.stage.focusTile(before.sample);
  }
}
