/* How a run stands, without a browser: `node --test tests/viewers/`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./scripts.mjs";

const { stateOf, stateText, ageText, askAgainMs } = load(
  ["web/status.js"], ["stateOf", "stateText", "ageText", "askAgainMs"],
);

const run = (state, about = {}) => ({ state, about });
const at = (...times) => times.map((time) => ({ time }));

for (const [state, found] of [
  ["finished", "finished"], ["failed", "failed"], ["deleting", "failed"], ["", ""], ["constructor", ""],
]) {
  test(`a run that is ${JSON.stringify(state)} stays so however long ago it was`, () => {
    assert.equal(stateOf(run(state), at(100, 110, 120), 1e9), found);
  });
}

test("a running run counts as stopped after five median intervals without a snapshot", () => {
  const history = at(100, 110, 120, 220); // 10 s, and once 100
  assert.equal(stateOf(run("running"), history, 220 + 50), "running");
  assert.equal(stateOf(run("running"), history, 220 + 50.1), "stopped");
  assert.equal(stateOf(run("running", { resumed: 1000 }), history, 1050), "running");
  assert.equal(stateOf(run("running", { resumed: "odd" }), history, 1050), "stopped");
});

test("a run whose intervals nobody knows yet is running", () => {
  for (const history of [[], at(100), at(100, undefined, "7", NaN, -5)]) {
    assert.equal(stateOf(run("running"), history, 1e9), "running");
  }
});

test("the order of entries does not matter", () => {
  assert.equal(stateOf(run("running"), at(120, 100, 110), 171), "stopped");
});

test("of a stopped run it is said since when", () => {
  assert.equal(stateText("stopped", at(100, 0, 50), 100 + 3 * 3600), "stopped, last snapshot 3 hours ago");
  for (const state of ["running", "finished", ""]) assert.equal(stateText(state, at(1), 1e9), state);
});

for (const [seconds, text] of [
  [-5, "less than a minute ago"], [59, "less than a minute ago"], [60, "1 minute ago"], [3599, "59 minutes ago"],
  [3600, "1 hour ago"], [86_399, "23 hours ago"], [86_400 * 2, "2 days ago"],
]) {
  test(`${seconds} s are ${text}`, () => assert.equal(ageText(seconds), text));
}

test("a run is asked every 2 s at first, less often while nothing comes, and no more once it ended", () => {
  const waits = [0, 20_000, 60_000, 300_000, 1e9].map((quiet) => askAgainMs("running", quiet));
  assert.deepEqual(waits, [2000, 2000, 6000, 30_000, 30_000]);
  assert.equal(askAgainMs("stopped", 60_000), 6000);
  for (const state of ["finished", "failed", ""]) assert.equal(askAgainMs(state, 0), null);
});
