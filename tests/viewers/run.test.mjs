/* What is said of a run as a whole, without a browser: `node --test tests/viewers/`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./scripts.mjs";

const { folderName, runOf } = load(["web/entry.js", "web/run.js"], ["folderName", "runOf"]);

/* Objects of the other context have other prototypes, so that what they hold is compared. */
const plain = (value) => JSON.parse(JSON.stringify(value));

const ABOUT = {
  format: 1,
  state: "finished",
  settings: { sample_names: ["cat.jpg", 3], columns: 2 },
  class_names: [{ id: 3, name: "<cat>", color: [0, 128, 255] }],
  fixed_panels: ["photo"],
  class_panels: ["mask", "truth"],
  captions: { mask: "found" },
  samples: { digest: "sha256:ab", count: 2 },
};

test("a run is what its run.json says, under the name of its folder", () => {
  assert.deepEqual(plain(runOf(JSON.stringify(ABOUT), "../dcgan/")), {
    name: "dcgan",
    url: "../dcgan/",
    about: ABOUT,
    state: "finished",
    samples: ["cat.jpg", "3"],
    columns: 2,
    classes: [{ id: "3", name: "<cat>", color: [0, 128, 255] }],
    fixedPanels: ["photo"],
    classPanels: ["mask", "truth"],
    captions: { mask: "found" },
    digest: "sha256:ab",
    count: 2,
  });
  assert.equal(runOf("{}", "./", "mine").name, "mine");
});

const NOTHING = {
  name: "a",
  url: "a/",
  about: {},
  state: "",
  samples: [],
  columns: null,
  classes: [],
  fixedPanels: ["input", "target"],
  classPanels: [],
  captions: {},
  digest: "",
  count: null,
};

for (const text of [undefined, "", "null", "[]", "5", '"text"', "{", "{}"]) {
  test(`nothing is known of a run by ${text}`, () => {
    assert.deepEqual(plain(runOf(text, "a/")), NOTHING);
  });
}

test("nonsense in run.json says nothing", () => {
  const odd = {
    state: 5,
    settings: { sample_names: "ab", columns: "2" },
    class_names: 5,
    fixed_panels: "input",
    class_panels: {},
    captions: "ab",
    samples: { digest: 5, count: -1 },
  };
  for (const about of [odd, { ...odd, settings: null, samples: null }]) {
    assert.deepEqual(plain(runOf(JSON.stringify(about), "a/")), { ...NOTHING, about });
  }
});

test("no panel is fixed where run.json says that none is", () => {
  assert.deepEqual(plain(runOf('{"fixed_panels": []}', "a/")).fixedPanels, []);
});

test("classes are those with a name and a colour", () => {
  const cat = { id: 3, name: "<cat>", color: [0, 128, 255] };
  const colors = [[0, 0], [0, 0, 256], "red", null].map((color) => ({ ...cat, color }));
  const text = JSON.stringify({ class_names: [cat, null, "a", {}, ...colors] });
  assert.deepEqual(plain(runOf(text, "a/").classes), [{ ...cat, id: "3" }]);
});

for (const [url, name] of [
  ["../dcgan/", "dcgan"],
  ["file:///runs/a%20b/?t=1#epoch=3", "a b"],
  ["runs/%ff/", "%ff"],
  ["./", ""],
  ["../../", ""],
  ["/", ""],
]) {
  test(`the folder of ${url} is called ${JSON.stringify(name)}`, () => {
    assert.equal(folderName(url), name);
  });
}
