/* What the page shows as its address, without a browser: `node --test tests/viewers/`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./scripts.mjs";

const { PageState, placeIn, hashOf, viewKey } = load(
  ["web/entry.js", "web/run.js", "web/status.js", "web/zoom.js", "web/order.js", "web/stage_state.js", "page/address.js", "page/state.js"],
  ["PageState", "placeIn", "hashOf", "viewKey"],
);

const plain = (value) => JSON.parse(JSON.stringify(value));

const OPENED = {
  at: null,
  compare: null,
  mode: null,
  sample: null,
  view: { zoom: 1, x: 0.5, y: 0.5 },
  order: null,
  picked: null,
  look: { brightness: 1, contrast: 1 },
};

const entry = (epoch, changes = {}) => ({
  epoch, batch: 4, step: 4 * epoch, file: `${epoch}.png`, time: 100 + epoch, ...changes,
});
const entries = (...epochs) => epochs.map((epoch) => entry(epoch));
const arrived = (state, found) => state.withRecord({ entries: found, isNewer: false, lost: 0 });
const ofRun = (...found) => arrived(new PageState(), found);
const opened = (hash, found) => arrived(new PageState().goTo(placeIn(hash)), found);

// From a state to its address, and back

test("the newest snapshot, as the page opens, needs no hash", () => {
  assert.equal(hashOf(ofRun(...entries(1, 2))), "");
  assert.equal(hashOf(new PageState()), "");
});

for (const [hash, change] of [
  ["#epoch=2", (state) => state.go(1)],
  ["#sample=5", (state) => state.chooseSample(5)],
  ["#epoch=1&sample=0", (state) => state.go(0).chooseSample(0)],
  ["#compare=1", (state) => state.toggleCompare()],
  ["#epoch=2&compare=1&mode=swipe", (state) => state.toggleCompare().with({ mode: "swipe" }).go(1)],
  ["#zoom=2,0.4,0.6", (state) => state.with({ view: { zoom: 2, x: 0.4, y: 0.6 } })],
  ["#sort=mse&at=12", (state) => state.with({ order: { by: "mse", kind: "worst", at: 12, samples: null } })],
  ["#worse=a%26b%20%3D", (state) => state.with({ order: { by: "a&b =", kind: "worse", at: null, samples: null } })],
  ["#class=3", (state) => state.with({ picked: "3" })],
  ["#look=1.2,0.9", (state) => state.with({ look: { brightness: 1.2, contrast: 0.9 } })],
]) {
  test(`${hash} says what is shown`, () => {
    const run = entries(1, 2, 3);
    const state = change(ofRun(...run));
    assert.equal(hashOf(state), hash);
    const again = opened(hash, run);
    assert.equal(hashOf(again), hash);
    for (const name of ["index", "pin", "mode", "sample", "following"]) {
      assert.equal(again[name], state[name], name);
    }
    for (const name of ["view", "order", "picked", "look"]) {
      assert.deepEqual(plain(again[name]), plain(state[name]), name);
    }
  });
}

test("where an epoch has several snapshots the step tells them apart", () => {
  const run = [entry(1, { step: 2 }), entry(1, { step: 4, batch: 8 }), entry(2, { step: 6 })];
  const state = ofRun(...run).go(0);
  assert.equal(hashOf(state), "#epoch=1&step=2");
  assert.equal(opened("#epoch=1&step=2", run).index, 0);
  assert.equal(opened("#epoch=1", run).index, 1);
  assert.equal(opened("#step=4", run).index, 1);
  assert.equal(hashOf(state.toggleCompare()), "#compare=1&compare-step=2");
  assert.equal(opened("#compare=1&compare-step=2", run).pin, 0);
});

test("the untrained model is epoch 0, and loops without epochs are told by steps", () => {
  const run = [entry(0), entry(1), entry(2)];
  assert.equal(hashOf(ofRun(...run).go(0)), "#epoch=0");
  const loop = [7, 9, 11].map((step) => entry(0, { batch: 0, step }));
  assert.equal(hashOf(ofRun(...loop).go(1)), "#epoch=0&step=9");
  assert.equal(opened("#step=9", loop).index, 1);
});

test("an entry that tells neither epoch nor step has no address of its own", () => {
  const run = [{ file: "a.png" }, { file: "b.png", epoch: "2", step: -1 }, entry(3)];
  assert.equal(hashOf(ofRun(...run).go(0)), "");
});

// What is not there

test("an epoch without a snapshot is the next one's, which is said", () => {
  const state = opened("#epoch=15&sample=1", entries(10, 20, 30));
  assert.deepEqual([state.index, state.sample, state.following], [1, 1, false]);
  assert.equal(state.said, "Epoch 15 has no snapshot: epoch 20 is shown.");
  assert.equal(hashOf(state), "#epoch=20&sample=1");
  assert.equal(state.go(0).said, "");
});

test("of a snapshot that was removed the next one is shown, which is said", () => {
  const run = entries(1, 2, 3, 4).map((one) => ({ ...one, removed: one.epoch === 2 || one.epoch === 4 }));
  const state = opened("#epoch=2", run);
  assert.deepEqual([state.index, state.entry.epoch], [1, 3]);
  assert.equal(state.said, "Epoch 2 was removed: epoch 3 is shown.");
  assert.equal(opened("#epoch=4", run).said, "Epoch 4 was removed: epoch 3 is shown.");
});

test("a snapshot that is not there yet is gone to when it comes", () => {
  const state = opened("#epoch=5&sample=1", entries(1, 2));
  assert.deepEqual([state.index, state.following, state.sample], [1, true, 1]);
  assert.equal(state.said, "Epoch 5 is not there: the newest snapshot is shown.");
  assert.equal(hashOf(state), "#epoch=5&sample=1");
  const later = arrived(arrived(state, entries(1, 2, 3)), entries(1, 2, 3, 4, 5, 6));
  assert.deepEqual([later.index, later.following, later.said, later.wanted], [4, false, "", null]);
  const left = state.go(0);
  assert.equal(hashOf(left), "#epoch=1&sample=1");
  assert.equal(arrived(left, entries(1, 2, 3, 4, 5)).index, 0);
});

test("what an address asks for waits for the record, and for a first snapshot", () => {
  const asked = new PageState().goTo(placeIn("#epoch=2&compare=1&sample=3"));
  assert.equal(hashOf(asked), "#epoch=2&sample=3&compare=1");
  const state = arrived(arrived(asked, []), entries(1, 2, 3));
  assert.deepEqual([state.index, state.pin, state.mode, state.sample], [1, 0, "side", 3]);
});

test("an address that is gone to replaces all that is shown", () => {
  const state = ofRun(...entries(1, 2, 3)).toggleCompare().chooseSample(2).with({ view: { zoom: 4, x: 0, y: 0 } });
  const left = state.go(0).play().goTo(placeIn(""));
  assert.deepEqual([left.index, left.following, left.mode, left.sample, left.playing], [2, true, null, null, false]);
  assert.equal(hashOf(left), "");
});

// What anybody may type

for (const hash of [
  "", "#", "#epoch", "#epoch=", "#epoch=-1", "#epoch=1e3", "#epoch=1.5", "#epoch=99999999999", "#epoch=%ff",
  "#sample=NaN", "#sample=0x10", "#sample=<img src=x onerror=alert(1)>", "#mode=swipe", "#compare=x&mode=swipe",
  "#zoom=1", "#zoom=2,3,0.5", "#zoom=-1,0,0", "#zoom=0,0.5,0.5", "#zoom=1e9,0,0", "#zoom=Infinity,0,0",
  "#look=1", "#look=-1,2", "#look=1,99", "#sort=", "#__proto__=1&constructor=2&toString=3",
  `#${"a".repeat(1e6)}`, `#${"&".repeat(1e5)}`, "#=&==&&=5", "#\u2028\0",
]) {
  test(`${JSON.stringify(hash.slice(0, 50))} asks for nothing`, () => {
    assert.deepEqual(plain(placeIn(hash)), OPENED);
  });
}

test("of a word that stands twice the first one counts, and a way to compare that is none is the plain one", () => {
  assert.deepEqual(plain(placeIn("#epoch=3&epoch=4").at), { epoch: 3, step: null });
  assert.equal(placeIn("#compare=3&mode=constructor").mode, "side");
});

test("a name that no address can have is left out of it", () => {
  const order = { by: "\ud800", kind: "worst", at: null, samples: null };
  assert.equal(hashOf(ofRun(...entries(1)).with({ order })), "#sort=");
});

test("all samples, one of them, and two snapshots are views of their own", () => {
  const keys = ["", "#sample=1", "#compare=1", "#sample=1&compare=1"].map((hash) => viewKey(placeIn(hash)));
  assert.equal(new Set(keys).size, 4);
  assert.equal(viewKey(placeIn("#sample=1")), viewKey(placeIn("#sample=2&epoch=3")));
});
