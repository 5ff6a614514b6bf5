/* Draws a state into the document. What is drawn depends on the state alone. */

const NEWER = "This run was recorded by a newer version of keras_image_saver";

function drawNotice(text) {
  by("notices").append(element("p", { className: "notice", textContent: text }));
}

/* A class and the colour that it is drawn in. */
function classItem({ id, name, color }) {
  const swatch = svg("svg", { class: "swatch", viewBox: "0 0 1 1", "aria-hidden": "true" });
  swatch.append(svg("rect", { width: 1, height: 1, fill: `rgb(${color.join(" ")})` }));
  return element("li", { title: `class ${id}` }, swatch, name);
}

class View {
  constructor({ onSnapshot, onSample, onHistory, onView }) {
    this.values = new SampleValues();
    this.stage = new Stage(by("stage"), { onSample, onView });
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

  drawRecord({ history, run }) {
    by("counts").textContent = countsText(history);
    by("classes").replaceChildren(...run.classes.map(classItem));
    by("classes-section").hidden = run.classes.length === 0;
    this.facts.set(history);
  }

  drawSliders({ entries, comparing }) {
    for (const slider of [by("position"), by("pin")]) slider.max = Math.max(0, entries.length - 1);
    by("pin-row").hidden = !comparing;
    by("position-label").textContent = comparing ? "Right" : "Snapshot";
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
    this.drawValues(state, state.recordText);
    this.drawSampleBar(state);
    const drawn = this.drawStage(state);
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

  /* What the sample that is shown alone had, as soon as it is read. */
  async drawValues({ entry, sample }, recordText) {
    const wanted = (this.wantedValues = {});
    const values = sample === null ? [] : await this.values.of(entry, sample, recordText);
    if (wanted !== this.wantedValues) return; // another one is looked at by now
    by("values").replaceChildren(...values.map(([name, digits]) => logRow(name, Number(digits))));
    by("values-title").textContent = sample === null ? "" : `Sample ${sample}`;
    by("values-section").hidden = values.length === 0;
  }

  drawSampleBar({ entries, index, run, sample, sampleCount }) {
    by("sample-bar").hidden = by("strip").hidden = sample === null;
    if (sample === null) return this.strip.clear();
    const name = `Sample ${sample}`;
    by("sample-name").textContent = sampleCount ? `${name} of 0\u2013${sampleCount - 1}` : name;
    by("sample-before").disabled = sample === 0;
    by("sample-after").disabled = sample + 1 >= sampleCount;
    by("sample-text").textContent = run.samples[sample] ?? "";
    describe(by("strip"), `${name} at every epoch`);
    this.strip.set(entries, sample);
    return this.strip.mark(index);
  }

  /* Resolves when the pictures are there. */
  drawStage(state) {
    const { mode, sample, order, picked, view, look, run } = state;
    const shot = (key, entry) => ({ key, title: state.nameOf(entry), color: null, run, entry, values: null });
    const shots = mode ? [shot("left", state.pinned), shot("right", state.entry)] : [shot("right", state.entry)];
    const color = run.classes.find((one) => one.id === picked)?.color ?? null;
    return this.stage.show({ shots, sample, order: order?.samples ?? null, mode, view, picked: color, look });
  }

  /* Who chose a sample by keyboard goes on in its bar, and comes back to its tile. */
  async moveFocus(state, before, drawn) {
    if (before.sample === null) by("all-samples").focus();
    await drawn;
    if (state.sample === null) this.stage.focusTile(before.sample);
  }
}
