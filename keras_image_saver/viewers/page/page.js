/* What is shown, and how keys, buttons and new snapshots change it. */

const POLL_MS = 700;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const record = new RunRecord();
const left = new Frame(showSample);
const right = new Frame(showSample); // the one that the slider moves
const strip = new Strip(by("strip"), (index) => go(index));
const charts = new Charts(by("charts"), (index) => go(index));

const shown = {
  entries: [],
  index: 0,
  pin: 0, // the snapshot on the left while two are compared
  sample: null, // null: all of them
  comparing: false,
  following: true,
  playing: false,
  severalAnEpoch: false,
};
let tileToFocus = null; // where the focus was when a sample was chosen by keyboard

// New snapshots

async function poll() {
  if (await record.poll()) update();
  else if (!record.found) showNothing();
  by("live").hidden = !shown.following || shown.entries.length === 0;
}

async function pollForever() {
  for (;;) {
    if (!document.hidden) await poll().catch(console.error); // a bad record must not end it
    await sleep(POLL_MS);
  }
}

function update() {
  const before = shown.entries[shown.index];
  const pinned = shown.entries[shown.pin];
  const known = shown.entries.length;
  shown.entries = record.entries;
  shown.severalAnEpoch = shown.entries.some(
    (entry, index) => index > 0 && entry.epoch === shown.entries[index - 1].epoch,
  );
  const last = shown.entries.length - 1;
  const place = before ? find(before) : -1;
  if (place < 0) shown.following = true;
  shown.index = shown.following ? last : place;
  shown.pin = pinned ? Math.max(0, find(pinned)) : 0;
  charts.set(shown.entries);
  drawCounts(shown.entries.length - known);
  drawNotices();
  drawSliders();
  render();
}

/* Where an entry stands now, or -1 if another one has its place in the run. */
function find(entry) {
  const key = entryKey(entry);
  return shown.entries.findIndex((one) => entryKey(one) === key && one.time === entry.time);
}

function showNothing() {
  drawEmpty("There is no record of a run beside this page, or the browser may not read it.");
}

function drawEmpty(text) {
  by("empty").textContent = text;
  by("empty").hidden = text === "";
  by("view").classList.toggle("is-empty", text !== "");
}

function drawCounts(more) {
  const missed = shown.entries.filter((entry) => !entry.file).length;
  const count = shown.entries.length;
  const words = `${count} ${count === 1 ? "snapshot" : "snapshots"}`;
  by("counts").textContent = missed ? `${words}, ${missed} of them missed` : words;
  if (!shown.following && more > 0) by("newest").hidden = false;
}

function drawNotices() {
  const texts = [];
  if (record.isNewer) {
    texts.push(
      "This run was recorded by a newer version of keras_image_saver: what this page does not know is not shown.",
    );
  }
  if (record.lost) {
    texts.push(`${record.lost} parts of the record cannot be read; their snapshots are not shown.`);
  }
  const notices = texts.map((text) => element("p", { className: "notice", textContent: text }));
  by("notices").replaceChildren(...notices);
}

// What is shown

function go(index) {
  const last = shown.entries.length - 1;
  if (last < 0) return;
  shown.index = Math.min(last, Math.max(0, index));
  shown.following = shown.index === last;
  render();
}

function showSample(sample, byKeyboard = false) {
  if (shown.sample === null) tileToFocus = byKeyboard ? sample : null;
  const wasAlone = shown.sample !== null;
  shown.sample = sample;
  render();
  if (byKeyboard && !wasAlone) by("all-samples").focus();
}

async function showAllSamples() {
  if (shown.sample === null) return;
  const tile = tileToFocus === null ? null : shown.sample;
  shown.sample = null;
  strip.clear();
  await render();
  if (tile !== null) right.focusTile(tile);
}

function stepSample(step) {
  const count = tilesOf(shown.entries[shown.index])?.count ?? 0;
  const next = shown.sample + step;
  if (shown.sample !== null && next >= 0 && next < count) showSample(next);
}

function compare() {
  shown.comparing = !shown.comparing;
  // Two different ones: the newest with the first, an older one with the newest.
  if (shown.comparing) {
    shown.pin = shown.following ? 0 : shown.index;
    if (!shown.following) shown.index = shown.entries.length - 1;
    shown.following = shown.index === shown.entries.length - 1;
  }
  by("compare").setAttribute("aria-pressed", String(shown.comparing));
  drawSliders();
  render();
}

/* Bring everything up to what is to be shown; resolves when the pictures are there. */
function render() {
  const entry = shown.entries[shown.index];
  document.body.classList.toggle("has-run", Boolean(entry));
  if (!entry) {
    drawEmpty("No snapshot yet. The first one appears here as soon as it is saved.");
    for (const frame of [left, right]) frame.root.remove();
    return Promise.resolve();
  }
  drawEmpty("");
  drawStage();
  drawPosition(entry);
  drawFacts(entry);
  drawSampleBar(entry);
  charts.mark(shown.index, entry);
  return drawPictures(entry);
}

function drawStage() {
  const wanted = shown.comparing ? [left, right] : [right];
  const roots = wanted.map((frame) => frame.root);
  const stage = by("stage");
  if (roots.length !== stage.children.length) stage.replaceChildren(...roots);
  stage.classList.toggle("comparing", shown.comparing);
}

function drawPictures(entry) {
  const pinned = shown.entries[shown.pin];
  const pending = [right.show(entry, shown.sample)];
  right.caption.textContent = nameOf(entry);
  right.caption.hidden = !shown.comparing;
  if (shown.comparing) {
    left.caption.textContent = nameOf(pinned);
    pending.push(left.show(pinned, shown.sample));
  }
  return Promise.all(pending);
}

function nameOf(entry) {
  return snapshotName(entry, shown.severalAnEpoch);
}

function drawSliders() {
  const last = Math.max(0, shown.entries.length - 1);
  for (const slider of [by("position"), by("pin")]) slider.max = last;
  by("pin-row").hidden = !shown.comparing;
  by("position-label").textContent = shown.comparing ? "Right" : "Snapshot";
  drawMarks(last);
}

/* A tick under the slider for each missed snapshot, at most one a pixel. */
function drawMarks(last) {
  const marks = by("marks");
  const width = marks.clientWidth;
  const places = new Set();
  shown.entries.forEach((entry, index) => {
    if (!entry.file) places.add(Math.round(last ? (width * index) / last : width / 2));
  });
  const path = [...places].map((x) => `M${x} 0V5`).join("");
  marks.firstElementChild.setAttribute("d", path);
}

function drawPosition(entry) {
  const last = shown.entries.length - 1;
  const name = nameOf(entry);
  setSlider(by("position"), shown.index, name);
  by("position-name").textContent = name;
  if (shown.comparing) {
    const pinned = nameOf(shown.entries[shown.pin]);
    setSlider(by("pin"), shown.pin, pinned);
    by("pin-name").textContent = pinned;
  }
  for (const id of ["first", "before"]) by(id).disabled = shown.index === 0;
  for (const id of ["after", "last"]) by(id).disabled = shown.index === last;
  if (shown.following) by("newest").hidden = true;
  by("live").hidden = !shown.following;
  document.title = `${name} - ${runName()}`;
}

function drawFacts(entry) {
  by("epoch").textContent = entry.epoch ? `Epoch ${entry.epoch}` : epochName(entry);
  const batch = entry.batch ? `batch ${entry.batch}, ` : "";
  by("step").textContent = `${batch}step ${entry.step ?? "unknown"}`;
  by("when").textContent = entry.time ? new Date(entry.time * 1000).toLocaleString() : "";
  drawFile(entry);
  const logs = Object.entries(entry.logs ?? {});
  by("logs").replaceChildren(...logs.map(([name, value]) => logRow(name, value)));
  by("logs-section").hidden = logs.length === 0;
  by("charts-section").hidden = charts.charts.size === 0;
}

function drawFile(entry) {
  const url = entry.file ? pictureURL(entry) : null;
  if (url === null) return by("file").replaceChildren(entry.file ? String(entry.file) : "no file");
  return by("file").replaceChildren(element("a", { href: url, textContent: entry.file }));
}

function logRow(name, value) {
  const cell = element("td", { textContent: valueText(value) });
  cell.classList.toggle("is-odd", isNumeric(value) && typeof value !== "number");
  return element("tr", {}, element("th", { scope: "row", textContent: name }), cell);
}

function drawSampleBar(entry) {
  const { sample } = shown;
  by("sample-bar").hidden = by("strip").hidden = sample === null;
  if (sample === null) return;
  const count = tilesOf(entry)?.count ?? 0;
  by("sample-name").textContent = `Sample ${sample + 1}${count ? ` of ${count}` : ""}`;
  by("sample-before").disabled = sample === 0;
  by("sample-after").disabled = sample + 1 >= count;
  describe(by("strip"), `Sample ${sample + 1} at every epoch`);
  strip.set(shown.entries, sample);
  strip.mark(shown.index);
}

// Playing

async function play() {
  shown.playing = true;
  drawPlaying();
  if (shown.index === shown.entries.length - 1) {
    go(0);
    await pause(performance.now());
  }
  while (shown.playing && shown.index < shown.entries.length - 1) {
    const started = performance.now();
    go(shown.index + 1);
    await right.running; // a picture that loads slowly is waited for, not skipped
    await pause(started);
  }
  stop();
}

function pause(started) {
  const seconds = 1 / Number(by("speed").value);
  return sleep(Math.max(0, 1000 * seconds - (performance.now() - started)));
}

function stop() {
  shown.playing = false;
  drawPlaying();
}

function drawPlaying() {
  by("play").classList.toggle("is-playing", shown.playing);
  describe(by("play"), shown.playing ? "Pause" : "Play");
}

/* Go where the user says, which ends playing. */
function goByUser(index) {
  stop();
  go(index);
}

// Keys and buttons

const KEYS = {
  ArrowLeft: () => goByUser(shown.index - 1),
  ArrowRight: () => goByUser(shown.index + 1),
  Home: () => goByUser(0),
  End: () => goByUser(shown.entries.length - 1),
  " ": () => (shown.playing ? stop() : play()),
  c: compare,
  Escape: showAllSamples,
};
const SAMPLE_KEYS = {
  ArrowUp: () => stepSample(-1),
  ArrowDown: () => stepSample(1),
};
// What a focused control does with keys of its own.
const OWN_KEYS = {
  INPUT: (key) => key.startsWith("Arrow") || key === "Home" || key === "End",
  SELECT: (key) => key !== "Escape",
  BUTTON: (key) => key === " ",
  SUMMARY: (key) => key === " ",
};

function pressKey(event) {
  const keys = shown.sample === null ? KEYS : { ...KEYS, ...SAMPLE_KEYS };
  if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
  if (OWN_KEYS[event.target.tagName]?.(event.key) || shown.entries.length === 0) return;
  event.preventDefault();
  keys[event.key]();
}

function listen() {
  const clicks = {
    first: KEYS.Home,
    before: KEYS.ArrowLeft,
    play: KEYS[" "],
    after: KEYS.ArrowRight,
    last: KEYS.End,
    newest: KEYS.End,
    compare,
    "all-samples": showAllSamples,
    "sample-before": SAMPLE_KEYS.ArrowUp,
    "sample-after": SAMPLE_KEYS.ArrowDown,
  };
  for (const [id, action] of Object.entries(clicks)) by(id).addEventListener("click", action);
  document.addEventListener("keydown", pressKey);
  by("position").addEventListener("input", (event) => goByUser(Number(event.target.value)));
  by("pin").addEventListener("input", (event) => {
    shown.pin = Number(event.target.value);
    render();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop();
    else poll();
  });
  new ResizeObserver(() => drawSliders()).observe(by("marks"));
}

/* The folder's name. */
function runName() {
  const parts = location.pathname.split("/").slice(0, -1).filter(Boolean);
  try {
    return decodeURIComponent(parts.at(-1) ?? "run");
  } catch {
    return parts.at(-1);
  }
}

by("run").textContent = document.title = runName();
listen();
pollForever();
