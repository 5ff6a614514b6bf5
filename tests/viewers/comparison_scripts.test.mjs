/* The comparison of runs without a browser: its state, its address, and what it tells of the runs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./scripts.mjs";

const { ComparisonState, ACTIONS, CHOICES, KEYS, ...words } = load(
  ["web/entry.js", "web/run.js", "web/status.js", "web/zoom.js", "web/order.js", "web/stage_state.js", "comparison/align.js", "comparison/differences.js",
   "comparison/measures.js", "comparison/states.js", "comparison/state.js", "comparison/address.js",
   "comparison/parts.js", "web/keys.js", "comparison/keys.js"],
  ["ComparisonState", "ACTIONS", "CHOICES", "KEYS", "actionOf", "addressOf", "axisValues", "beganAt",
   "cardChanges", "cardState", "differencesOf", "durationText", "entriesOf", "meanNumbers", "measureRows",
   "mergedEntries", "modeAfter", "offText", "parseLatest", "parsePart", "partIn", "placeUpTo",
   "positionText", "positionsOf", "runState", "runsInAddress", "sampleNumbers", "samplesText", "stateAt",
   "cleanEntry"],
);

const GEOMETRY = { origin: [2, 2], tile: [8, 8], stride: [10, 10], columns: 2, count: 4, panels: ["prediction"] };

function entry(epoch, changes = {}) {
  const fields = { epoch, batch: 4, step: 4 * epoch, file: `${epoch}.png`, time: 1000 + 10 * epoch };
  return { ...fields, geometry: GEOMETRY, ...changes };
}

function run(name, epochs, changes = {}) {
  const entries = epochs.map((epoch) => entry(epoch));
  return { name, about: {}, digest: "d", count: 4, samples: [], entries, history: entries, ...changes };
}

const stateOf = (...runs) => new ComparisonState().withRuns(runs);
const twoRuns = () => stateOf(run("a", [1, 2, 3, 4, 5]), run("b", [2, 4]));
const epochsShown = (state) => state.shown.map(({ entry }) => entry?.epoch);

/* Objects of the other context have other prototypes, so that what they hold is compared. */
const plain = (value) => JSON.parse(JSON.stringify(value));
const same = (found, expected) => assert.deepEqual(plain(found), expected);

// Where runs stand

test("places are those of all runs, each once, in order", () => {
  same([...twoRuns().positions], [1, 2, 3, 4, 5]);
  same([...stateOf(run("a", [3, 10]), run("b", [1, 10, 200])).positions], [1, 3, 10, 200]);
  assert.equal(words.placeUpTo(Float64Array.of(1, 3, 3, 7), 3), 2);
  assert.equal(words.placeUpTo(Float64Array.of(1, 3), 0.5), -1);
});

test("a run without the epoch shows its nearest earlier one, or its first, and says so", () => {
  const state = twoRuns();
  const told = (index) => {
    const at = state.go(index);
    return at.shown.map((shown, number) => [shown.entry.epoch, words.offText(at.runs[number], shown, at.position, "epoch")]);
  };
  same(told(0), [[1, ""], [2, "its first"]]);
  same(told(1), [[2, ""], [2, ""]]);
  same(told(2), [[3, ""], [2, "it has no epoch 3"]]);
  same(told(4), [[5, ""], [4, "its last"]]);
});

test("a run without any snapshot shows none", () => {
  const state = stateOf(run("a", [1, 2]), run("b", []));
  same(epochsShown(state), [2, null]);
  assert.equal(words.offText(state.runs[1], state.shown[1], 2, "epoch"), "no snapshot yet");
  assert.equal(stateOf(run("a", []), run("b", [])).last, -1);
});

test("of several snapshots an epoch the last one is shown by epoch, and each by step", () => {
  const entries = [1, 2, 3, 4].map((half) => entry(Math.ceil(half / 2), { batch: half, step: 10 * half }));
  const state = stateOf(run("a", [], { entries, history: entries }), run("b", [1, 2]));
  same([...state.positions], [1, 2]);
  assert.equal(state.go(0).shown[0].entry.step, 20);
  const bySteps = state.by("step");
  same([...bySteps.positions], [4, 8, 10, 20, 30, 40]);
  same(bySteps.go(3).shown.map((one) => one.entry.step), [20, 8]);
});

test("by time runs are aligned by their beginnings", () => {
  const late = run("b", [1, 2]);
  late.entries = late.history = [entry(1, { time: 5010 }), entry(2, { time: 5060 })];
  late.about = { started: 5000 };
  const state = stateOf(run("a", [1, 2, 3], { about: { started: 1000 } }), late).by("time");
  same([...state.positions], [10, 20, 30, 60]);
  same(epochsShown(state.go(1)), [2, 1]);
  assert.equal(words.offText(state.runs[1], state.go(1).shown[1], 20, "time"), "");
  assert.equal(words.beganAt(run("c", [3])), 1030);
});

test("what counts back or is no number moves nothing back", () => {
  const entries = [entry(3), entry("x"), entry(1), entry(4, { time: 0 }), entry(5, { time: "later" })];
  const odd = run("a", [], { entries, history: entries });
  same([...words.axisValues(odd, entries, "epoch")], [3, 3, 3, 4, 5]);
  same([...words.axisValues(odd, entries, "time")], [0, 0, 0, 0, 0]);
});

test("another axis keeps what is shown", () => {
  const state = twoRuns().go(2);
  const bySteps = state.by("step");
  same([bySteps.position, epochsShown(bySteps)], [12, [3, 2]]);
  assert.equal(bySteps.by("epoch").position, 3);
  assert.equal(state.by("nonsense"), state);
  assert.equal(twoRuns().by("time").index, twoRuns().by("time").last);
});

test("newer entries are followed from the last place alone, and the place stays where it is", () => {
  const grown = [run("a", [1, 2, 3, 4, 5, 6]), run("b", [2, 4])];
  same(epochsShown(twoRuns().withRuns(grown)), [6, 4]);
  const back = twoRuns().go(1).withRuns(grown);
  same([epochsShown(back), back.following], [[2, 2], false]);
});

test("a point of a chart leads to its place; one whose picture was removed to where it was", () => {
  const history = [entry(1), entry(2, { removed: true }), entry(3)];
  const entries = [history[0], history[2]];
  const state = stateOf(run("a", [], { entries, history }), run("b", [1, 2, 3]));
  assert.equal(state.goToEntry(0, 1).position, 2);
  assert.equal(state.goToEntry(1, 0).position, 1);
  same(epochsShown(state.goToEntry(0, 1)), [1, 2]);
});

// The state

test("a place beyond the ends is the end", () => {
  same([twoRuns().go(-3).index, twoRuns().go(99).index, stateOf().go(3).index], [0, 4, 0]);
});

test("samples are stepped through as far as any run has them", () => {
  const few = run("b", [5]);
  few.entries = few.history = [entry(5, { geometry: { ...GEOMETRY, count: 2 } })];
  const state = stateOf(run("a", [5]), few).chooseSample(2);
  assert.equal(state.stepSample(1).sample, 3);
  assert.equal(state.stepSample(1).stepSample(1).sample, 3);
  assert.equal(state.showAllSamples().stepSample(1).sample, null);
});

test("two of several runs are laid over one another, and change places where one is chosen for both", () => {
  const state = stateOf(run("a", [1]), run("b", [1]), run("c", [1])).lookBy("swipe");
  same(state.onStage, [0, 1]);
  same(state.pairWith(1, 2).onStage, [0, 2]);
  same(state.pairWith(0, 1).onStage, [1, 0]);
  same(state.pairWith(0, 9).onStage, [0, 1]);
  same(state.lookBy("side").onStage, [0, 1, 2]);
  assert.equal(state.lookBy("nonsense").mode, "swipe");
});

test("keys and controls change the state", () => {
  same(KEYS.ArrowLeft(twoRuns()).index, 3);
  same(KEYS.Home(twoRuns().play()).playing, false);
  let state = twoRuns();
  const modes = [1, 2, 3, 4].map(() => (state = KEYS.m(state)).mode);
  same(modes, ["swipe", "blink", "difference", "side"]);
  same(CHOICES.axis(twoRuns(), "step").axis, "step");
  same(CHOICES["pair-0"](twoRuns(), "1").pair, [1, 0]);
  const press = (key, tagName, changes = {}) => words.actionOf({ key, target: { tagName }, ...changes }, twoRuns());
  assert.equal(press("ArrowLeft", "BODY"), KEYS.ArrowLeft);
  assert.equal(press("ArrowLeft", "INPUT"), undefined);
  assert.equal(press("ArrowUp", "BODY"), undefined);
  assert.equal(press("m", "BODY", { ctrlKey: true }), undefined);
  assert.equal(press("toString", "BODY"), undefined);
});

// The address

test("the address tells the state, and the state comes back from it", () => {
  const runs = [run("a", [1, 2, 3]), run("b", [1, 2]), run("c", [3])];
  const plainState = stateOf(...runs);
  assert.equal(words.addressOf(plainState), "");
  const view = { zoom: 2, x: 0.4, y: 0.6 };
  const states = [
    plainState,
    plainState.go(1),
    plainState.by("step"),
    plainState.by("time").go(1).chooseSample(3),
    plainState.lookBy("swipe").pairWith(0, 2).with({ view }),
    plainState.lookBy("difference").go(0).chooseSample(0),
    plainState.sortBy("mae & psnr", "worst").with({ picked: "3", look: { brightness: 2, contrast: 0.5 } }),
    plainState.sortBy("mae", "worse"),
  ];
  for (const state of states) {
    const hash = words.addressOf(state, ["a,1", "b&c", "ü"]);
    const again = words.stateAt(hash, plainState);
    for (const name of ["axis", "index", "sample", "mode", "pair", "view", "order", "picked", "look"]) {
      same(again[name], plain(state[name]));
    }
    same(words.runsInAddress(hash), ["a,1", "b&c", "ü"]);
  }
  const state = states[4].go(1).chooseSample(5).with({ view });
  assert.equal(words.addressOf(state, ["x"]), "#compare=x&epoch=2&sample=5&mode=swipe&pair=2,1&zoom=2,0.4,0.6");
});

test("half a character in a name is told as another one", () => {
  const state = twoRuns().sortBy("\ud800", "worst").with({ picked: "\udfff" });
  assert.equal(words.addressOf(state, ["a\ud800b", "\u{1f600}"]),
    "#compare=a%EF%BF%BDb,%F0%9F%98%80&sort=%EF%BF%BD&class=%EF%BF%BD");
});

test("an address of nonsense is the plain state", () => {
  const state = twoRuns();
  const hashes = ["", "#", "#epoch=x", "#sample=-1&sample=1e9", "#mode=eval&pair=0,0", "#pair=0,9", "#zoom=2",
    "#zoom=-1,0,0", "#zoom=2,NaN,0", "#look=0,9", "#compare=%E0%A4", "#__proto__=1", "#epoch=1=2"];
  for (const hash of hashes) {
    const found = words.stateAt(hash, state);
    same([found.index, found.sample, found.mode, found.pair, found.view.zoom], [4, null, "side", [0, 1], 1]);
  }
  same(words.runsInAddress("#compare=%E0%A4,b"), ["b"]);
  same(words.stateAt("#epoch=3.7", state).index, 2);
});

// What differs

test("what differs is named, and what is alike counted", () => {
  const settings = { render: { class: "Images", value_range: [-1, 1], channels: null }, weights: ["raw", "ema"] };
  const a = run("a", [1], { about: { id: "1", state: "running", settings, versions: { keras: "3.1" } } });
  const other = { ...settings, render: { ...settings.render, value_range: [0, 1] }, padding: 2, weights: null };
  const b = run("b", [1], { about: { id: "2", state: "failed", settings: other, versions: { keras: "2.15" } } });
  const { rows, alike } = words.differencesOf([a, b]);
  same(rows, [
    { name: "render.value_range", texts: ["(-1, 1)", "(0, 1)"] },
    { name: "weights", texts: ["raw, ema", "none"] },
    { name: "version of keras", texts: ["3.1", "2.15"] },
    { name: "padding", texts: [null, "2"] },
  ]);
  assert.equal(alike, 6); // tile, panels, samples, batches; class, channels
});

test("sizes and weights are those that the entries tell", () => {
  const wide = entry(1, { geometry: { ...GEOMETRY, tile: [8, 16], stride: [10, 18] }, weights: "ema", batch: 9 });
  const { rows } = words.differencesOf([run("a", [1]), run("b", [], { history: [wide], entries: [wide] })]);
  same(rows, [
    { name: "size of a tile", texts: ["8 × 8", "16 × 8"] },
    { name: "batches an epoch", texts: ["4", "9"] },
    { name: "weights drawn", texts: [null, "ema"] },
  ]);
});

test("a record of any content has an answer", () => {
  const deep = (depth) => (depth ? { in: deep(depth - 1) } : 1);
  const abouts = [{ settings: [] }, { settings: deep(50), versions: "x" }, { samples: 3 }, { settings: { "": null } },
    { settings: Object.fromEntries(Array.from({ length: 9999 }, (_, n) => [`s${n}`, n])) }];
  for (const about of abouts) {
    assert.ok(words.differencesOf([run("a", [], { about }), run("b", [])]).rows.length <= 500);
  }
});

test("whether runs were shown the same samples is told from the digest", () => {
  const told = (...runs) => plain(words.samplesText(runs));
  same(told(run("a", [1]), run("b", [1])), { isWarning: false, text: "same 4 samples" });
  const other = told(run("a", [1]), run("b", [1], { digest: "e" }));
  assert.match(other.text, /^The runs were shown different samples/);
  const unknown = told(run("a", [1]), run("b", [1], { digest: "" }));
  assert.match(unknown.text, /not recorded in b\.$/);
  assert.ok(other.isWarning && unknown.isWarning);
});

// Measures

test("the best of each measure is the least or the most, as it is told", () => {
  const columns = [new Map([["mae", 1], ["psnr", 20], ["own", 3]]), new Map([["mae", 2], ["psnr", NaN], ["own", 4]])];
  columns.push(new Map([["psnr", 30]]));
  const rows = words.measureRows(columns, (name) => ({ mae: "least", psnr: "most" })[name] ?? null);
  same(rows.map(({ name, best }) => [name, best]), [
    ["mae", [true, false, false]],
    ["psnr", [false, false, true]],
    ["own", [false, false, false]],
  ]);
  const equal = words.measureRows([new Map([["mae", 1]]), new Map([["mae", 1]])], () => "least");
  same(equal[0].best, [false, false]);
});

test("a sample's numbers leave out what is of the whole grid, means what is no number", () => {
  const values = new Map([["mae", Float32Array.of(0.5, 0.25)], ["diversity", Float32Array.of(3)]]);
  same([...words.sampleNumbers(values, 1)], [["mae", 0.25]]);
  same([...words.sampleNumbers(null, 1)], []);
  const found = words.meanNumbers({ metrics: { a: { mean: 1 }, b: { mean: "NaN" }, c: null, d: { mean: "x" } } });
  same([...found.keys()], ["a", "b"]);
  assert.ok(Number.isNaN(found.get("b")));
});

// States

test("how a run stands is told with its age", () => {
  const told = (state, ago, times = [0, 10, 20]) => {
    const history = times.map((time) => ({ time: 10_000 + time }));
    return plain(words.runState({ state, about: {}, history }, 10_020 + ago));
  };
  same(told("running", 20), { word: "running", text: "running, last snapshot less than a minute ago" });
  same(told("running", 180), { word: "stopped", text: "stopped, last snapshot 3 minutes ago" });
  same(told("running", 5000, [0]).word, "running");
  same(told("finished", 7300), { word: "finished", text: "finished 2 hours ago" });
  same(told("deleting", 120), { word: "failed", text: "failed 2 minutes ago" });
  same(told("", 60), { word: "", text: "last snapshot 1 minute ago" });
  same(told("finished", 60, []), { word: "finished", text: "finished" });
});

test("a card tells the same by its newest entry and how long one takes", () => {
  const told = (card, now) => plain(words.cardState({ about: { state: "running" }, entry: null, interval: null, ...card }, now));
  same(told({}, 1e9), { word: "running", text: "running" });
  same(told({ entry: { time: 1000 }, interval: 10 }, 1040).word, "running");
  same(told({ entry: { time: 1000 }, interval: 10 }, 1051).word, "stopped");
  same(told({ entry: { time: 1000 }, interval: 10, about: { state: "running", resumed: 1050 } }, 1051).word, "running");
  same(told({ about: {} }, 1e9), { word: "", text: "" });
});

test("times are told by their two largest units", () => {
  const texts = [0, 59.6, 61, 3600, 90_000, 1e7, -5, NaN].map(words.durationText);
  same(texts, ["0 s", "1 min", "1 min 1 s", "1 h", "1 d 1 h", "115 d 17 h", "0 s", "unknown"]);
  same([words.positionText(0, "epoch"), words.positionText(7, "step"), words.positionText(90, "time")],
    ["untrained", "step 7", "1 min 30 s"]);
});

// What comes from elsewhere

test("what a frame posts is taken only as the part that was asked for", () => {
  assert.equal(words.partIn({ kerasImageSaver: "newest", text: "{}" }, "newest"), "{}");
  const others = [null, undefined, 3, "text", [], {}, { kerasImageSaver: "run", text: "{}" },
    { kerasImageSaver: "newest" }, { kerasImageSaver: "newest", text: { toString: () => "{}" } },
    { kerasImageSaver: "newest", text: "x".repeat(32_000_001) }];
  for (const posted of others) assert.equal(words.partIn(posted, "newest"), null);
});

test("parts of the record are objects with entries, or none", () => {
  for (const text of [null, "", "3", "null", "[]", "{}", '{"entries": 3}', "{"]) assert.equal(words.parsePart(text), null);
  const part = words.parsePart('{"key": 1, "entries": [null, 3, "x", [1], {"epoch": 1}]}');
  assert.equal(part.entries.length, 1);
  const nothing = { epoch: 0, batch: 0, step: 0, time: 0, logs: {}, metrics: {}, geometry: {}, file: null };
  same(words.cleanEntry({ epoch: "1", batch: -1, step: 1e300, time: "x", logs: [], metrics: null, file: ["a"] }), nothing);
  same(words.cleanEntry({}), nothing);
  const whole = { ...entry(3), logs: { loss: 1 }, metrics: { mae: {} }, more: "kept" };
  same(words.cleanEntry(whole), whole);
  const many = JSON.stringify({ entries: Array.from({ length: 9999 }, () => ({})) });
  assert.equal(words.parsePart(many).entries.length, 4096);
});

test("what is said of how much there is is read, whatever it is", () => {
  same(words.parseLatest('{"key": "k", "writes": 3, "run": 1, "state": "running"}'),
    { key: "k", writes: 3, run: 1, state: "running" });
  for (const text of [null, "", "null", "x"]) assert.equal(words.parseLatest(text), null);
  assert.equal(words.parseLatest('{"key": {}}').key, "[object Object]");
});

test("entries of some parts are merged, the later one of two of one place holding", () => {
  const merged = words.mergedEntries([[entry(1), entry(3)], [entry(2), entry(3, { file: "later.png" })]]);
  same(merged.map((one) => one.file), ["1.png", "2.png", "later.png"]);
  const shared = words.entriesOf({ geometries: [GEOMETRY], entries: [entry(1, { geometry: 0 }), entry(2, { geometry: 7 })] });
  same(shared[0].geometry, GEOMETRY);
  same(shared[1].geometry, {});
});

test("a card is told anew by the newest part of a record", () => {
  const entries = [entry(1), entry(2), entry(3, { file: null, missed: true })];
  const changes = words.cardChanges(JSON.stringify({ entries }));
  same([changes.entry.epoch, changes.shown.epoch, changes.interval, changes.time], [3, 2, 10, 1030]);
  same(words.cardChanges('{"entries": []}'), { entry: null, shown: null, interval: null });
  assert.equal(words.cardChanges("x"), null);
});
