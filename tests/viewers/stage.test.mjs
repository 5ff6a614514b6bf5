/* Where the stage's tiles stand, what is seen of them, and in which order, without a browser. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./scripts.mjs";

const stage = load(
  ["web/entry.js", "web/run.js", "web/pictures.js", "web/values.js", "web/layout.js", "web/zoom.js",
   "web/scene.js", "web/order.js"],
  ["layoutOf", "wholeScale", "placed", "zoomedAbout", "pannedBy", "isLarger", "steppedZoom", "zoomLimits", "HOME",
   "shownOf", "framesOf", "samplesOf", "wishOf", "notFiniteText",
   "isLargerWorse", "sortingMeasures", "worstFirst", "worseFirst", "SampleValues", "runOf"],
);
const plain = (value) => JSON.parse(JSON.stringify(value));

// Layout

function layout(changes) {
  return stage.layoutOf({
    count: 16,
    columns: null,
    tile: { width: 28, height: 28 },
    panels: [1],
    room: { width: 900, height: 600 },
    ratio: 1,
    caption: 0,
    line: 18,
    under: { panel: 0, cell: 0 },
    ...changes,
  });
}

/* CSS pixels of all frames and what is between them. */
function extent(made) {
  const sum = (side) => made.frames.reduce((total, one) => total + one[side] * made.scale, 12 * (made.frames.length - 1));
  const most = (side) => Math.max(...made.frames.map((one) => one[side])) * made.scale;
  return made.across ? [sum("width"), most("height")] : [most("width"), sum("height")];
}

test("16 samples of two panels fill a wide stage and are no sliver", () => {
  const made = layout({ panels: [2] });
  assert.ok(made.scale * 28 >= 90, `${made.scale}`);
  const [width, height] = extent(made);
  assert.ok(width <= 900 && height <= 600);
  assert.ok(width > 0.8 * 900 || height > 0.8 * 600);
});

for (const columns of [1, 3, 12, 16]) {
  for (const [width, height] of [[900, 600], [300, 500], [0, 0]]) {
    test(`the ${columns} columns that were asked for are kept in ${width} by ${height}`, () => {
      const made = layout({ columns, room: { width, height } });
      assert.deepEqual([made.columns, made.rows], [columns, Math.ceil(16 / columns)]);
      if (width > 0) assert.ok(extent(made)[0] <= width + 1);
    });
  }
}

for (const count of [1, 2, 3, 7, 16, 64, 100]) {
  for (const panels of [[1], [2], [4], [1, 1], [1, 1, 2]]) {
    for (const room of [[300, 500], [900, 600], [3000, 1800], [900, 120]]) {
      test(`${count} samples of ${panels} panels stand apart and within ${room}`, () => {
        const [width, height] = room;
        const made = layout({ count, panels, room: { width, height } });
        const [across, down] = extent(made);
        assert.ok(across <= width + 1, `${across}`);
        if (!made.isPanned) assert.ok(down <= height + 1, `${down}`);
        made.frames.forEach((frame, number) => {
          const taken = new Set();
          for (let place = 0; place < count; place++) {
            const [x, y] = made.cornerOf(number, place);
            assert.ok(Number.isInteger(x) && Number.isInteger(y));
            assert.ok(x + frame.cell.width <= frame.width && y + frame.cell.height <= frame.height);
            taken.add(`${x} ${y}`);
          }
          assert.equal(taken.size, count);
          for (let panel = 0; panel < frame.panels; panel++) {
            const [x, y] = made.offsetOf(panel);
            assert.ok(x + 28 <= frame.cell.width && y + 28 <= frame.cell.height);
          }
        });
        if (made.frames[0].panels > 1 && count > 1) {
          const between = made.frames[0].step.x - made.frames[0].cell.width;
          assert.ok(between > made.offsetOf(1)[0] + made.offsetOf(1)[1] - 28, "samples stand further apart");
        }
      });
    }
  }
}

test("panels of one sample stand in two rows where that is larger", () => {
  const made = layout({ count: 1, panels: [4], room: { width: 300, height: 300 } });
  assert.deepEqual([0, 1, 2, 3].map((panel) => plain(made.offsetOf(panel)).map(Math.sign)), [[0, 0], [1, 0], [0, 1], [1, 1]]);
});

test("1,024 tiles on a phone keep a finger's size, fill its width, and go on below", () => {
  const made = layout({ count: 1024, room: { width: 300, height: 400 } });
  assert.equal(made.isPanned, true);
  assert.ok(made.scale * 28 >= 44);
  const [width, height] = extent(made);
  assert.ok(width > 0.85 * 300 && width <= 301);
  assert.ok(height > 400);
});

test("a line of text stands under samples that are large enough, and nowhere else", () => {
  const under = { panel: 0, cell: null };
  const large = layout({ count: 4, under });
  assert.ok(large.under.cell * large.scale >= 15);
  assert.equal(layout({ count: 100, room: { width: 500, height: 500 }, under }).under.cell, 0);
});

test("pixels are whole device pixels where that wastes little", () => {
  assert.equal(stage.wholeScale(3.3, 1), 3);
  assert.equal(stage.wholeScale(3.3, 2), 3);
  assert.equal(stage.wholeScale(1.7, 1), 1.7);
  assert.equal(stage.wholeScale(0.4, 1), 0.4);
});

test("frames of unlike many panels have a sample's row at one height", () => {
  const made = layout({ count: 6, panels: [1, 1, 2] });
  const steps = new Set(made.frames.map((one) => (made.across ? one.step.y : one.step.x)));
  assert.equal(steps.size, 1);
});

test("no canvas is larger than browsers draw", () => {
  const made = layout({ count: 4096, tile: { width: 256, height: 256 }, room: { width: 300, height: 400 } });
  const [{ width, height }] = made.frames;
  assert.ok(width * height * made.density ** 2 <= 2 ** 24 + 1 && height * made.density <= 16384);
});

test("a window without room still has a layout", () => {
  assert.ok(layout({ room: { width: 1, height: 1 } }).scale > 0);
});

// Zoom

const SIZE = { width: 400, height: 200 };
const ROOM = { width: 400, height: 300 };

test("what fits stands in the middle", () => {
  assert.deepEqual(plain(stage.placed(stage.HOME, SIZE, ROOM)), { left: 0, top: 50, zoom: 1 });
  assert.equal(stage.isLarger(stage.HOME, SIZE, ROOM), false);
});

test("what is larger than its frame is seen from its top", () => {
  const { left, top } = stage.placed(stage.HOME, { width: 400, height: 900 }, ROOM);
  assert.deepEqual([left, top], [0, 0]);
});

test("zoom leaves what is under the pointer where it is", () => {
  const point = { x: 300, y: 150 };
  let view = stage.zoomedAbout(stage.HOME, 4, point, SIZE, ROOM);
  const { left, top } = stage.placed(view, SIZE, ROOM);
  assert.ok(Math.abs((point.x - left) / 4 - 300) < 1e-9 && Math.abs((point.y - top) / 4 - 100) < 1e-9);
  view = stage.zoomedAbout(view, 1, { x: 10, y: 10 }, SIZE, ROOM);
  assert.deepEqual(plain(view), plain(stage.HOME));
});

test("a picture is panned to its edges and no further", () => {
  const view = stage.zoomedAbout(stage.HOME, 2, { x: 200, y: 150 }, SIZE, ROOM);
  const moved = stage.placed(stage.pannedBy(view, 30, 20, SIZE, ROOM), SIZE, ROOM);
  const before = stage.placed(view, SIZE, ROOM);
  assert.deepEqual([moved.left - before.left, moved.top - before.top], [30, 20]);
  const far = stage.placed(stage.pannedBy(view, 9999, 9999, SIZE, ROOM), SIZE, ROOM);
  assert.deepEqual([far.left, far.top], [0, 0]);
  const other = stage.placed(stage.pannedBy(view, -9999, -9999, SIZE, ROOM), SIZE, ROOM);
  assert.deepEqual([other.left, other.top], [ROOM.width - 800, ROOM.height - 400]);
});

test("zoom ends where it fits, and where single pixels are plain", () => {
  const limits = stage.zoomLimits(4);
  assert.equal(stage.steppedZoom(1, 0.5, limits), 1);
  assert.equal(stage.steppedZoom(0.25, 0.5, limits), 0.25); // the actual size, gone to by hand
  assert.equal(stage.steppedZoom(15, 2, limits), 16);
});

// Which frames

const GEOMETRY = { origin: [0, 0], tile: [8, 8], stride: [10, 10], columns: 2, count: 4, panels: ["input", "prediction"] };
const RUN = stage.runOf('{"fixed_panels": ["input", "target"]}', "./");
const SIZES = [{ width: 40, height: 20 }, { width: 40, height: 20 }];

function shot(key, changes = {}, run = RUN) {
  return { key, title: key, color: null, run, values: null, entry: { file: "a.png", epoch: 1, geometry: GEOMETRY, ...changes } };
}

function scene(shots, changes = {}) {
  return { shots, sample: null, order: null, mode: shots.length > 1 ? "side" : null, ...changes };
}

function frames(given, sizes = SIZES) {
  return stage.framesOf(given, stage.shownOf(given, sizes));
}

test("one picture has all its panels, two of one run share those that are fixed", () => {
  assert.deepEqual(plain(frames(scene([shot("a")])).map((one) => one.panels)), [["input", "prediction"]]);
  const two = frames(scene([shot("a"), shot("b")]));
  assert.deepEqual(two.map((one) => [one.title, plain(one.panels)]), [
    ["input", ["input"]], ["a", ["prediction"]], ["b", ["prediction"]],
  ]);
});

test("runs share a panel only where they were shown the same samples", () => {
  const run = (url, digest) => stage.runOf(JSON.stringify({ samples: { digest } }), url);
  const of = (one, other) => frames(scene([shot("a", {}, run("a/", one)), shot("b", {}, run("b/", other))])).length;
  assert.equal(of("same", "same"), 3);
  assert.equal(of("same", "other"), 2);
  assert.equal(of(undefined, undefined), 2);
});

test("panels are called as the user calls them", () => {
  const captions = { input: "blurred", prediction: 5, target: "sharp" };
  const run = stage.runOf(JSON.stringify({ fixed_panels: ["input"], captions }), "./");
  const [one] = frames(scene([shot("a", {}, run)]));
  assert.deepEqual(plain([one.panels, one.layers[0].panels]), [["blurred", "prediction"], [0, 1]]);
  const [shared] = frames(scene([shot("a", {}, run), shot("b", {}, run)]));
  assert.deepEqual(plain([shared.key, shared.title, shared.panels]), ["panel input", "blurred", ["blurred"]]);
});

test("no picture is left without a panel of its own", () => {
  const geometry = { ...GEOMETRY, panels: ["input", "target"] };
  const two = frames(scene([shot("a", { geometry }), shot("b", { geometry })]));
  assert.deepEqual(plain(two.map((one) => one.title)), ["a", "b"]);
});

test("two over each other are one frame with both", () => {
  for (const mode of ["swipe", "blink", "difference"]) {
    const found = frames(scene([shot("a"), shot("b")], { mode }));
    assert.deepEqual(found.map((one) => one.layers.length), [1, 2]);
  }
});

test("what cannot be shown is said in its frame", () => {
  const found = frames(scene([shot("a", { file: "", reason: "disk full" }), shot("b")]), [null, SIZES[0]]);
  assert.equal(found.at(-2).problem, "This snapshot was missed: disk full");
  assert.equal(found.at(-1).problem, "");
});

test("a picture without tiles is shown whole, and so is what stands beside it", () => {
  const given = scene([shot("a"), shot("b", { geometry: {} })]);
  assert.deepEqual(plain(stage.shownOf(given, SIZES).map((one) => one.tiles.width)), [40, 40]);
});

function wishedColumns(...asked) {
  const runs = asked.map((columns) => stage.runOf(JSON.stringify({ settings: { columns } }), "./"));
  const given = scene(runs.map((run, number) => shot(`${number}`, {}, run)));
  const shown = stage.shownOf(given, SIZES);
  return (changes) => stage.wishOf({ ...given, ...changes }, shown, stage.framesOf(given, shown), {}).columns;
}

test("a row has as many samples as the user asked for, where runs agree", () => {
  assert.equal(wishedColumns(2)(), 2);
  assert.equal(wishedColumns(9)(), 4); // there are no more
  assert.equal(wishedColumns(2, 2)(), 2);
  for (const asked of [[null], [2, 3], [2, null], ["2"]]) assert.equal(wishedColumns(...asked)(), null);
  assert.equal(wishedColumns(2)({ sample: 1 }), 1);
});

test("an order that lacks samples, or has others, still shows each once", () => {
  assert.deepEqual(plain(stage.samplesOf({ sample: null, order: [3, 9, 0] }, 4)), [3, 0, 1, 2]);
  assert.deepEqual(plain(stage.samplesOf({ sample: 2, order: null }, 4)), [2]);
});

test("what tells of values that are not finite is said", () => {
  const told = stage.notFiniteText({ logs: { loss: "NaN", lr: 0.1 }, metrics: { mae: { nan: 2 } } });
  assert.equal(told, "loss is NaN, mae is NaN for 2 samples. Magenta pixels are values that are not finite.");
  assert.equal(stage.notFiniteText({ logs: { loss: 1 } }), "");
});

// Order

test("the record's list of the worst tells in which direction a measure is bad", () => {
  assert.equal(stage.isLargerWorse({ mean: 0.5, worst: [[1, "NaN"], [3, 0.9]] }), true);
  assert.equal(stage.isLargerWorse({ mean: 0.5, worst: [[3, 0.1]] }), false);
  for (const found of [null, {}, { mean: 0.5, worst: [] }, { mean: 0.5, worst: [[0, 0.5]] }, { mean: "NaN", worst: [[0, 1]] }]) {
    assert.equal(stage.isLargerWorse(found), null);
  }
  const metrics = { mae: { mean: 0.5, worst: [[3, 0.9]] }, all: { mean: 1, worst: [] } };
  assert.deepEqual(plain(stage.sortingMeasures({ metrics })), ["mae"]);
});

test("the worst comes first, NaN before all, and of equal ones the lower number", () => {
  const values = Float32Array.from([0.5, NaN, 0.9, 0.5, Infinity]);
  assert.deepEqual(plain(stage.worstFirst(values, true)), [1, 4, 2, 0, 3]);
  assert.deepEqual(plain(stage.worstFirst(values, false)), [1, 0, 3, 2, 4]);
});

test("what got worse since its best comes first", () => {
  const rows = [[1, 5, NaN, 4], [2, 3, NaN, 4]].map((row) => Float32Array.from(row));
  const now = Float32Array.from([3, 3, 9, NaN]);
  assert.deepEqual(plain(stage.worseFirst(now, rows, true)), [3, 0, 1, 2]);
  assert.deepEqual(plain(stage.worseFirst(Float32Array.from([1, 1, 1, 1]), rows, false)), [1, 3, 0, 2]);
});

/* Files of values, two snapshots each, and the names of those that were loaded. */
function files(count, stepOf = (file, row) => 2 * file + row + 1) {
  const loaded = [];
  const text = (file) => {
    const steps = [0, 1].map((row) => stepOf(file, row));
    const row = (step) => `${step} ${100 - step}`;
    const worst = { mae: steps.map(row) };
    return JSON.stringify({ full: count, keys: steps.map((step) => [step, 0, step]), metrics: worst });
  };
  const values = new stage.SampleValues(async (segment) => {
    loaded.push(segment);
    return text(segment === "metrics" ? count : Number(segment.split("-")[1]));
  });
  return { values, loaded };
}

const measured = (step) => ({ epoch: step, batch: 0, step, metrics: { mae: { mean: 1, worst: [[0, 2]] } } });

test("values of an old snapshot are found by halving, and then at once", async () => {
  const { values, loaded } = files(64);
  const found = await values.of(measured(11), "text");
  assert.deepEqual([...found.get("mae")], [11, 89]);
  assert.ok(loaded.length <= 8, `${loaded}`);
  assert.equal(values.known(measured(11)), found);
  assert.equal(values.known(measured(127)), undefined);
  assert.equal(await values.of({ epoch: 1 }, "text"), null);
});

test("they are found where steps do not rise from file to file", async () => {
  const { values } = files(16, (file, row) => 1000 - 2 * file - row);
  assert.deepEqual([...(await values.of(measured(999), "text")).get("mae")], [999, -899]);
  assert.equal(await values.of(measured(5000), "text"), null);
});

test("samples are sorted by a snapshot, and by all before it", async () => {
  const { values } = files(4);
  assert.deepEqual(plain(await values.order("mae", "worst", measured(3), "text")), [1, 0]);
  assert.deepEqual(plain(await values.order("mae", "worse", measured(3), "text")), [0, 1]);
  assert.equal(await values.order("other", "worst", measured(3), "text"), null);
});
