/* What the page shows and how keys change that, without a browser: `node --test tests/viewers/`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { load, read } from "./scripts.mjs";

const { PageState, ACTIONS, SLIDERS, CHOICES, KEYS, SAMPLE_KEYS, actionOf, ...words } = load(
  ["web/entry.js", "web/run.js", "web/status.js", "web/values.js", "web/zoom.js", "web/order.js", "web/stage_state.js", "page/address.js", "page/state.js", "web/keys.js", "page/keys.js"],
  ["PageState", "ACTIONS", "SLIDERS", "CHOICES", "KEYS", "SAMPLE_KEYS", "actionOf",
   "countsText", "missedPlaces", "numbersOf", "panelName", "parseValues", "placeOf",
   "snapshotName", "tilesOf", "valueText", "unknownText", "valuesIn", "wantedSegments", "worstOf"],
);

const GEOMETRY = {
  origin: [2, 3],
  tile: [8, 10],
  stride: [11, 13],
  columns: 2,
  count: 4,
  panels: ["input", "prediction"],
};

function entry(epoch, changes = {}) {
  const fields = { epoch, batch: 4, step: 4 * epoch, file: `${epoch}.png`, time: 100 + epoch };
  return { ...fields, geometry: GEOMETRY, ...changes };
}

function entries(count) {
  return Array.from({ length: count }, (_, index) => entry(index + 1));
}

function arrived(state, found) {
  return state.withRecord({ entries: found, isNewer: false, lost: 0 });
}

function ofRun(count) {
  return arrived(new PageState(), entries(count));
}

/* Objects of the other context have other prototypes, so that what they hold is compared. */
function assertHolds(state, expected) {
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(state[name], value, name);
}

// What the samples had

test("an entry's numbers are its logs and the means of its measures, each by its own name", () => {
  const logs = { loss: 0.5, mae: 2 };
  const metrics = { mae: { mean: 0.25 }, psnr: { mean: "Infinity" }, odd: null };
  const numbers = words.numbersOf({ logs, metrics });
  assert.deepEqual(JSON.stringify(numbers), JSON.stringify([
    ["loss", 0.5], ["mae", 2], ["mae (samples)", 0.25], ["psnr", "Infinity"], ["odd", undefined],
  ]));
  assert.equal(words.numbersOf(undefined).length, 0);
});

test("the worst samples are those that are numbers of samples", () => {
  const worst = [[3, 0.5], [0, "NaN"], [-1, 1], ["2", 1], null, [1e300, 1]];
  assert.deepEqual([...words.worstOf({ worst })], [3, 0]);
  assert.deepEqual([...words.worstOf({ worst: "3" })], []);
  assert.deepEqual([...words.worstOf(null)], []);
});

test("samples without a number are counted where there are such", () => {
  const texts = [{ nan: 2 }, { nan: 0 }, {}, { nan: "2" }, null].map(words.unknownText);
  assert.deepEqual([...texts], ["2 NaN", "", "", "", ""]);
});

test("a sample's values are read by its entry's key, and a grid's own are no sample's", () => {
  const text = JSON.stringify({
    full: 2,
    keys: [[1, 4, 0], [2, 0, 7]],
    metrics: { mae: ["0.1 0.2", "0.3 NaN"], diversity: ["0.5", "0.6"] },
  });
  const file = words.parseValues(text);
  assert.equal(file.full, 2);
  assert.equal(file.rows.get("2 0 7"), 1);
  const entry = { metrics: { mae: {}, diversity: {} } };
  const row = words.valuesIn(file, 1, entry);
  assert.deepEqual([...row.keys()], ["mae", "diversity"]);
  assert.deepEqual([...row.get("mae")], [Math.fround(0.3), NaN]);
  assert.equal(row.get("diversity").length, 1);
  assert.equal(words.valuesIn(file, 1, entry), row); // parsed once
});

test("a measure that compares with the snapshot before is not told where there is none", () => {
  const metrics = { mae: ["0.1 NaN", "0.3 NaN"], change: ["NaN NaN", "0.2 NaN"] };
  const file = words.parseValues(JSON.stringify({ full: 0, keys: [[1, 0, 1], [2, 0, 2]], metrics }));
  const first = words.valuesIn(file, 0, { metrics: { mae: {} } });
  assert.deepEqual([...first.keys()], ["mae"]);
  const next = words.valuesIn(file, 1, { metrics: { mae: {}, change: {} } });
  assert.deepEqual([...next.get("change")], [Math.fround(0.2), NaN]);
});

test("what is no file of values is none", () => {
  for (const text of ["", "null", "{}", '{"keys": 3}', '{"keys": [[1, 2, 3]]}', '{"keys": [null]}']) {
    assert.equal(words.parseValues(text), null, text);
  }
});

// Where the page is in the run

test("a state that nothing has come to shows nothing and stays", () => {
  const state = new PageState();
  assertHolds(state, { last: -1, entry: undefined, pinned: undefined, sampleCount: 0 });
  assert.equal(state.go(3), state);
  assert.equal(arrived(state, []).entry, undefined);
});

test("a state is never changed, but followed by another one", () => {
  const state = ofRun(3);
  assert.throws(() => (state.index = 0), { name: "TypeError" });
  assertHolds(state.go(0), { index: 0 });
  assertHolds(state, { index: 2 });
});

test("the newest snapshot is shown at first, and followed", () => {
  const state = ofRun(3);
  assertHolds(state, { index: 2, following: true, behind: false });
  assertHolds(arrived(state, entries(5)), { index: 4, following: true, behind: false });
});

for (const [wanted, index] of [[-1, 0], [0, 0], [1, 1], [2, 2], [3, 2]]) {
  test(`going to ${wanted} of 3 snapshots shows ${index}`, () => {
    assertHolds(ofRun(3).go(wanted), { index, following: index === 2 });
  });
}

test("an older snapshot stays when newer ones come, which is said until the newest is shown", () => {
  const older = ofRun(3).go(1);
  assertHolds(arrived(older, entries(3)), { index: 1, behind: false });
  const behind = arrived(older, entries(4));
  assertHolds(behind, { index: 1, following: false, behind: true });
  assertHolds(arrived(behind, entries(4)), { behind: true });
  assertHolds(behind.go(0), { behind: true });
  assertHolds(behind.go(3), { following: true, behind: false });
});

test("the place is kept by what is shown there, not by its number", () => {
  const [, ...later] = entries(5);
  assertHolds(arrived(ofRun(3).go(1), later), { index: 0 });
});

test("the newest is shown where what was shown is gone, or was drawn anew", () => {
  const shown = ofRun(5).go(3);
  assertHolds(arrived(shown, entries(2)), { index: 1, following: true });
  const again = [...entries(3), entry(4, { time: 900 }), entry(5, { time: 901 })];
  assertHolds(arrived(shown, again), { index: 4, following: true });
  assertHolds(arrived(shown, []), { entry: undefined, following: true, behind: false });
});

/* Of a run's entries, those of these epochs were removed. */
function without(found, ...removed) {
  return found.map((one) => (removed.includes(one.epoch) ? { ...one, removed: true } : one));
}

test("snapshots that were removed are left out, and their history is not", () => {
  const state = arrived(new PageState(), without(entries(5), 2, 3));
  assertHolds(state, { index: 2, last: 2, following: true });
  assert.deepEqual([...state.placesOnStage], [4]);
  assert.deepEqual(state.entries.map((one) => one.epoch), [1, 4, 5]);
  assert.deepEqual(state.history.map((one) => one.epoch), [1, 2, 3, 4, 5]);
  assertHolds(state.goInHistory(0), { index: 0 });
  assert.deepEqual([...state.goInHistory(0).placesOnStage], [0]);
  assert.deepEqual([...state.toggleCompare().placesOnStage], [0, 4]);
  for (const place of [1, 2, 3]) assertHolds(state.goInHistory(place), { index: 1, following: false });
  assertHolds(state.goInHistory(4), { index: 2, following: true });
});

test("where what is shown was removed, the next one that is there is shown", () => {
  const state = ofRun(5).go(2).toggleCompare().go(1);
  assertHolds(state, { index: 1, pin: 2 });
  const after = arrived(state, without(entries(6), 2, 3));
  assertHolds(after, { index: 1, pin: 1, following: false, behind: true });
  assertHolds(arrived(ofRun(3).go(1), without(entries(3), 2, 3)), { index: 0 });
});

test("newer ones are seen to come where as many are removed", () => {
  const state = arrived(new PageState(), without(entries(5), 2, 3)).go(0);
  assertHolds(arrived(state, without(entries(6), 2, 3, 4)), { index: 0, behind: true });
});

test("what is said of the record is known", () => {
  const state = new PageState().withRecord({ entries: [], isNewer: true, lost: 2 });
  assertHolds(state, { isNewer: true, lost: 2 });
});

// Two snapshots

test("comparing the newest is with the first", () => {
  const state = ofRun(5).toggleCompare();
  assertHolds(state, { mode: "side", pin: 0, index: 4, following: true });
  assertHolds(state.toggleCompare(), { mode: null, index: 4 });
});

test("a single snapshot is compared with nothing", () => {
  const state = ofRun(1);
  assert.equal(state.toggleCompare(), state);
  assertHolds(new PageState().toggleCompare(), { mode: null });
});

test("comparing leaves one where one was, and where one went meanwhile", () => {
  const compared = ofRun(5).go(1).toggleCompare();
  assertHolds(compared.toggleCompare(), { mode: null, index: 1, following: false });
  assertHolds(arrived(compared, entries(7)).toggleCompare(), { index: 1, behind: false });
  assertHolds(compared.go(3).toggleCompare(), { mode: null, index: 3 });
  assertHolds(compared.toggleCompare().toggleCompare(), { mode: "side", pin: 1, index: 4 });
});

test("the newest is compared with the one that it was compared with last", () => {
  assertHolds(ofRun(5).toggleCompare().pinTo(2).toggleCompare().toggleCompare(), { pin: 2, index: 4 });
});

test("comparing an older one is with the newest", () => {
  const behind = arrived(ofRun(4).go(1), entries(5));
  const state = behind.toggleCompare();
  assertHolds(state, { mode: "side", pin: 1, index: 4, following: true, behind: false });
});

test("both snapshots keep their places, and the first is pinned where the pinned one is gone", () => {
  const state = ofRun(5).toggleCompare().pinTo(3).go(2);
  assert.equal(state.pinned.epoch, 4);
  assertHolds(arrived(state, entries(6)), { pin: 3, index: 2 });
  assertHolds(arrived(state, entries(3)), { pin: 0, index: 2 });
});

// One sample

test("a sample is chosen, and those beside it are as long as there are any", () => {
  const state = ofRun(2).chooseSample(2);
  assertHolds(state, { sample: 2, sampleCount: 4 });
  assertHolds(state.stepSample(1), { sample: 3 });
  assertHolds(state.stepSample(1).stepSample(1), { sample: 3 });
  assertHolds(ofRun(2).chooseSample(0).stepSample(-1), { sample: 0 });
  assertHolds(ofRun(2).stepSample(1), { sample: null });
});

test("samples are stepped through in the order that they are shown in", () => {
  const order = { by: "mae", kind: "worst", at: 8, samples: [3, 0, 2, 1] };
  const state = ofRun(2).with({ order }).chooseSample(0);
  assertHolds(state.stepSample(1), { sample: 2 });
  assertHolds(state.stepSample(-1), { sample: 3 });
  assertHolds(state.stepSample(-1).stepSample(-1), { sample: 3 });
});

test("no sample is stepped to where the record does not tell of any", () => {
  const state = arrived(new PageState(), [entry(1, { geometry: {} })]).chooseSample(1);
  assert.equal(state.stepSample(-1), state);
});

test("a sample stays chosen at other snapshots until all are shown", () => {
  const state = ofRun(3).chooseSample(1).go(0);
  assertHolds(state, { sample: 1, index: 0 });
  assertHolds(state.showAllSamples(), { sample: null, index: 0 });
  assert.equal(ofRun(3).showAllSamples().sample, null);
});

test("it is known whether the first choice was by keyboard", () => {
  const state = ofRun(2).chooseSample(1, true);
  assertHolds(state.stepSample(1), { sample: 2, byKeyboard: true });
  assertHolds(state.showAllSamples().chooseSample(0), { sample: 0, byKeyboard: false });
});

// Playing

test("playing goes on at other snapshots until it is ended", () => {
  const state = ofRun(3).play();
  assertHolds(state.go(0), { playing: true, index: 0 });
  assertHolds(state.go(0).stop(), { playing: false, index: 0 });
  const still = ofRun(3);
  assert.equal(still.stop(), still);
});

// Keys and buttons

function pressed(key, state, { on = "BODY", ...modifiers } = {}) {
  return actionOf({ key, target: { tagName: on }, ...modifiers }, state);
}

test("each key asks for an action, and each action and slider has its control in the page", () => {
  for (const name of Object.values({ ...KEYS, ...SAMPLE_KEYS })) assert.ok(ACTIONS[name] ?? CHOICES[name], name);
  const html = ["page/page.html", "web/stage.html", "web/player.html"].map(read).join("");
  for (const id of Object.keys(ACTIONS)) assert.ok(html.includes(`<button id="${id}"`), id);
  for (const id of Object.keys(SLIDERS)) assert.ok(html.includes(`<input id="${id}"`), id);
});

for (const [name, index] of [["first", 0], ["before", 1], ["after", 3], ["last", 4], ["newest", 4]]) {
  test(`the action ${name} goes there and ends playing`, () => {
    assertHolds(ACTIONS[name](ofRun(5).go(2).play()), { index, playing: false });
  });
}

test("one slider moves the snapshot and ends playing, the other one moves the pinned one", () => {
  const state = ofRun(5).toggleCompare().play();
  assertHolds(SLIDERS.position(state, 2), { index: 2, pin: 0, playing: false });
  assertHolds(SLIDERS.pin(state, 2), { index: 4, pin: 2, playing: true });
});

test("the same key plays and pauses", () => {
  const playing = pressed(" ", ofRun(2))(ofRun(2));
  assert.equal(playing.playing, true);
  assert.equal(pressed(" ", playing)(playing).playing, false);
});

test("arrows up and down are the browser's own until a sample is alone", () => {
  assert.equal(pressed("ArrowDown", ofRun(2)), undefined);
  assert.equal(pressed("ArrowDown", ofRun(2).chooseSample(0)), ACTIONS["sample-after"]);
});

for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
  test(`keys with ${modifier} are the browser's own`, () => {
    assert.equal(pressed("ArrowLeft", ofRun(2), { [modifier]: true }), undefined);
  });
}

for (const [on, own, ours] of [
  ["INPUT", "Home", "c"],
  ["SELECT", "c", "Escape"],
  ["BUTTON", " ", "ArrowLeft"],
  ["SUMMARY", " ", "ArrowLeft"],
]) {
  test(`${JSON.stringify(own)} belongs to a focused ${on}, ${JSON.stringify(ours)} does not`, () => {
    assert.equal(pressed(own, ofRun(2), { on }), undefined);
    assert.equal(pressed(ours, ofRun(2), { on }), ACTIONS[KEYS[ours]]);
  });
}

test("other keys, and keys where there is no snapshot, ask for nothing", () => {
  for (const key of ["x", "constructor"]) assert.equal(pressed(key, ofRun(2)), undefined);
  assert.equal(pressed("Home", new PageState()), undefined);
});

// What an entry says

for (const [fields, severalAnEpoch, name] of [
  [{ epoch: 3, step: 12 }, false, "epoch 3"],
  [{ epoch: 3, step: 12 }, true, "epoch 3, step 12"],
  [{ epoch: 0, step: 7 }, true, "step 7"],
  [{ epoch: 0, step: 0 }, false, "untrained"],
  [{}, true, "untrained"],
]) {
  test(`a snapshot of ${JSON.stringify(fields)} is named ${name}`, () => {
    assert.equal(words.snapshotName(fields, severalAnEpoch), name);
  });
}

test("names tell snapshots of one epoch apart, and only where there are such", () => {
  const twice = arrived(new PageState(), [entry(1, { step: 3 }), entry(1, { batch: 8, step: 7 })]);
  assert.equal(twice.nameOf(twice.entry), "epoch 1, step 7");
  const once = ofRun(2);
  assert.equal(once.nameOf(once.entry), "epoch 2");
});

test("snapshots are counted, missed ones too", () => {
  const missed = entry(3, { file: "" });
  assert.equal(words.countsText([]), "0 snapshots");
  assert.equal(words.countsText(entries(1)), "1 snapshot");
  assert.equal(words.countsText([...entries(2), missed]), "3 snapshots, 1 of them missed");
  const some = without([...entries(4), missed], 2, 3);
  assert.equal(words.countsText(some), "3 snapshots, 1 of them missed, 2 removed");
});

test("missed snapshots stand on the slider at most once a pixel", () => {
  const found = entries(5).map((one, index) => (index % 2 ? one : { ...one, file: "" }));
  assert.deepEqual([...words.missedPlaces(found, 100)], [0, 50, 100]);
  const all = entries(1000).map((one) => ({ ...one, file: "" }));
  assert.equal(words.missedPlaces(all, 10).length, 11);
  assert.deepEqual([...words.missedPlaces([entry(1, { file: "" })], 100)], [50]);
});

test("an entry is found by its epoch, batch and time", () => {
  const found = entries(3);
  assert.equal(words.placeOf(entry(2), found), 1);
  assert.equal(words.placeOf(entry(2, { time: 5 }), found), -1);
  assert.equal(words.placeOf(undefined, found), -1);
});

test("tiles stand where the geometry says, with a sample's panels side by side", () => {
  const tiles = words.tilesOf(entry(1));
  assertHolds(tiles, { count: 4, columns: 2, width: 10, height: 8, across: 23 });
  assert.deepEqual([...tiles.panels], ["input", "prediction"]);
  assert.deepEqual([...tiles.corner(0, 0)], [3, 2]);
  assert.deepEqual([...tiles.corner(1, 1)], [3 + 3 * 13, 2]);
  assert.deepEqual([...tiles.corner(3, 0)], [3 + 2 * 13, 2 + 11]);
});

test("samples stand further apart where the geometry says so", () => {
  const tiles = words.tilesOf(entry(1, { geometry: { ...GEOMETRY, sample_gap: [5, 7] } }));
  assertHolds(tiles, { across: 23, down: 8 });
  assert.deepEqual([...tiles.corner(1, 1)], [3 + 3 * 13 + 7, 2]);
  assert.deepEqual([...tiles.corner(3, 0)], [3 + 2 * 13 + 7, 2 + 11 + 5]);
});

test("slices stand side by side, and the panels that have them below one another", () => {
  const tiles = words.tilesOf(entry(1, { geometry: { ...GEOMETRY, slices: [0, 4, 9], sample_gap: [5, 7] } }));
  assertHolds(tiles, { width: 2 * 13 + 10, height: 8, across: 36, down: 11 + 8 });
  assert.deepEqual([...tiles.corner(0, 1)], [3, 2 + 11]);
  assert.deepEqual([...tiles.corner(3, 1)], [3 + 3 * 13 + 7, 2 + 2 * 11 + 5 + 11]);
  assert.equal(words.panelName("prediction", tiles), "prediction, slices 0, 4, 9");
  assert.equal(words.panelName("prediction", words.tilesOf(entry(1))), "prediction");
  const one = words.tilesOf(entry(1, { geometry: { ...GEOMETRY, slices: [4] } }));
  assert.equal(words.panelName("input", one), "input, slice 4");
});

for (const geometry of [
  undefined,
  5,
  { ...GEOMETRY, origin: [2] },
  { ...GEOMETRY, tile: [NaN, 8] },
  { ...GEOMETRY, count: 1e9 },
  { ...GEOMETRY, columns: 0 },
  { ...GEOMETRY, panels: [] },
  { ...GEOMETRY, panels: "abc" },
  { ...GEOMETRY, sample_gap: 5 },
  { ...GEOMETRY, slices: 5 },
]) {
  test(`the geometry ${JSON.stringify(geometry)} tells of no tiles`, () => {
    assert.equal(words.tilesOf({ geometry }), null);
    assert.equal(words.tilesOf(undefined), null);
  });
}

for (const [segments, wanted, leftOut] of [
  [0, [], 0],
  [3, [0, 1, 2], 0],
  [[0, 2, 99999999999], [0, 2, 99999999999], 0],
  [[1, 1, -1, 0.5, 1e300, "2", null], [1], 6],
  [-1, [], 1],
  [NaN, [], 1],
  [Infinity, [], 1],
  ["4", [], 1],
  [undefined, [], 1],
]) {
  test(`of the segments ${JSON.stringify(segments)} those with a number are loaded`, () => {
    const found = words.wantedSegments(segments);
    assert.deepEqual([...found.wanted], wanted);
    assert.equal(found.leftOut, leftOut);
  });
}

for (const segments of [99999999999, 1e300, Array.from({ length: 100000 }, (_, index) => index)]) {
  test("of segments beyond reason the oldest and the newest are loaded", () => {
    const { wanted, leftOut } = words.wantedSegments(segments);
    const count = segments.length ?? segments;
    assert.ok(wanted.length <= 1024);
    assert.deepEqual([...wanted.slice(0, 3)], [0, 1, 2]);
    if (count < 1e15) assert.equal(wanted.at(-1), count - 1);
    assert.equal(leftOut, count - wanted.length);
  });
}

for (const [value, text] of [
  [0.1666666, "0.16667"],
  [12345678, "12345678"],
  ["NaN", "NaN"],
  [[1, 2], "[1,2]"],
  [null, "null"],
]) {
  test(`the value ${JSON.stringify(value)} is written ${text}`, () => {
    assert.equal(words.valueText(value), text);
  });
}
