/* Scales, ranges, lines and what is best, without a browser: `node --test tests/viewers/`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { load, read } from "./scripts.mjs";

const charts = load(
  ["web/entry.js", "web/scales.js", "web/metrics.js"],
  ["axesOf", "axisText", "axisTicks", "bestOf", "bestPlace", "columnsOf", "directionOf", "groupsOf",
   "linePath", "logTicks", "measureOf", "nearestTo", "oddCounts", "orderOf", "placesOn", "rangesOf",
   "shareIn", "tickText", "ticksOf", "timeText"],
);

/* What comes from the other context has other prototypes, so that its JSON is compared. */
const plain = (value) => JSON.parse(JSON.stringify(value));
const same = (found, expected, message) => assert.deepEqual(plain(found), expected, message);

function entries(...fields) {
  return fields.map((one) => ({ batch: 4, file: "a.png", logs: {}, ...one }));
}

const byEpochs = (count) =>
  entries(...Array.from({ length: count }, (_, at) => ({ epoch: at + 1, step: 4 * at + 4, time: 100 + 60 * at })));

// Axes

test("entries stand at whole epochs, at their steps, and at seconds since the first", () => {
  const found = byEpochs(3);
  same([...charts.placesOn("epoch", found)], [1, 2, 3]);
  same([...charts.placesOn("step", found)], [4, 8, 12]);
  same([...charts.placesOn("time", found)], [0, 60, 120]);
});

test("snapshots within an epoch stand at their part of it", () => {
  const found = entries(
    { epoch: 0, batch: 0, step: 0 },
    { epoch: 1, batch: 5, step: 5 },
    { epoch: 1, batch: 10, step: 10 },
    { epoch: 2, batch: 5, step: 15 },
  );
  same([...charts.placesOn("epoch", found)], [0, 0.5, 1, 1.5]);
});

test("the batches of an epoch that has no snapshot at its end are told by the steps", () => {
  const found = entries({ epoch: 1, batch: 6, step: 6 }, { epoch: 2, batch: 2, step: 12 }, { epoch: 2, batch: 8, step: 18 });
  same([...charts.placesOn("epoch", found)], [0.6, 1.2, 1.8]);
});

test("what has no place on an axis is not placed there", () => {
  const odd = [{ epoch: "3", step: null, time: "NaN" }, {}, { epoch: 2, step: 8, time: 5 }, { epoch: 1, step: 9, time: 4 }];
  for (const [axis, order] of [["epoch", [3, 2]], ["step", [2, 3]], ["time", [3, 2]]]) {
    same(charts.orderOf(charts.placesOn(axis, odd)), order, axis);
  }
  same([...charts.placesOn("time", [{}, {}])], [null, null]);
});

for (const [words, found, axes] of [
  ["epochs", byEpochs(3), ["epoch", "step", "time"]],
  ["one epoch", entries({ epoch: 1, batch: 2, step: 2 }, { epoch: 1, batch: 4, step: 4 }), ["step", "epoch"]],
  ["steps alone", entries({ epoch: 0, step: 2 }, { epoch: 0, step: 4 }), ["step"]],
  ["one snapshot", byEpochs(1), ["epoch"]],
  ["none", [], ["epoch"]],
]) {
  test(`of ${words} the axes are ${axes}`, () => {
    same(charts.axesOf([{ entries: found }]), axes);
  });
}

for (const [place, position] of [[-1, 0], [0, 0], [1.4, 1], [1.6, 2], [9, 3]]) {
  test(`nearest to ${place} is number ${position} in order`, () => {
    assert.equal(charts.nearestTo(place, [3, 2, 1, 0], [3, 2, 1, 0]), position);
  });
}

test("nothing is nearest where nothing has a place", () => {
  assert.equal(charts.nearestTo(1, [], []), -1);
});

// Ticks

for (const [low, high, most, whole, ticks] of [
  [1, 30, 4, true, [10, 20, 30]],
  [0, 2, 5, true, [0, 1, 2]],
  [0.2, 0.9, 5, true, []],
  [1, 1, 5, true, [1]],
  [0, 0.5, 3, false, [0, 0.2, 0.4]],
  [-1, 1, 2, false, [-1, 0, 1]],
  [-1e308, 1e308, 4, false, [-1e308, 0, 1e308]],
  [9999, 10001, 4, true, [9999, 10000, 10001]],
  [-0, 0, 4, false, [0]],
]) {
  test(`from ${low} to ${high} ${whole ? "whole " : ""}ticks are ${ticks}`, () => {
    same(charts.ticksOf(low, high, most, whole), ticks);
  });
}

test("there are never more ticks than asked for, and one", () => {
  for (const span of [1e-300, 1e-9, 0.3, 7, 123456, 1e300]) {
    for (const low of [0, -span / 3, 5e5, 1e300]) {
      for (const most of [1, 2, 5, 9]) {
        const ticks = charts.ticksOf(low, low + span, most);
        assert.ok(ticks.length <= most + 1, `${low} ${span} ${most}`);
      }
    }
  }
});

for (const [low, high, most, ticks] of [
  [0, 50, 5, "0, 10 s, 20 s, 30 s, 40 s, 50 s"],
  [0, 5400, 4, "0, 30 min, 60 min, 90 min"],
  [0, 36000, 5, "0, 2 h, 4 h, 6 h, 8 h, 10 h"],
  [0, 2592000, 3, "0, 10 d, 20 d, 30 d"],
]) {
  test(`wall time to ${high} s has the ticks ${ticks}`, () => {
    const found = charts.axisTicks("time", low, high, most);
    const texts = found.map((place) => charts.axisText("time", place, found[1] - found[0]));
    assert.equal(texts.join(", "), ticks);
  });
}

for (const [seconds, text] of [[0, "0"], [7, "7 s"], [90, "1.5 min"], [5400, "1.5 h"], [172800, "2 d"]]) {
  test(`${seconds} seconds are ${text}`, () => assert.equal(charts.timeText(seconds), text));
}

for (const [low, high, most, ticks] of [
  [0.02, 300, 5, [0.1, 1, 10, 100]],
  [1e-30, 1e30, 4, [1e-30, 1e-15, 1, 1e15, 1e30]],
  [2, 8, 3, [2, 4, 6, 8]],
  [1, 1000, 5, [1, 10, 100, 1000]],
]) {
  test(`a logarithm from ${low} to ${high} has the ticks ${ticks}`, () => {
    same(charts.logTicks(low, high, most), ticks);
  });
}

for (const [value, step, text] of [
  [-0, 0, "0"],
  [0.25, 0.25, "0.25"],
  [1e6, 5e5, "1e6"],
  [2.5e5, 5e4, "2.5e5"],
  [101325.5, 0.5, "101325.5"],
  [0.0005, 0.0005, "5e-4"],
  [-1e308, 1e308, "-1e308"],
  [1e-300, 0, "1e-300"],
  [200, 100, "200"],
]) {
  test(`the tick ${value}, each ${step}, is written ${text}`, () => assert.equal(charts.tickText(value, step), text));
}

// Ranges

const range = (values, isLog = false) => charts.rangesOf([Float64Array.from(values)], isLog);

test("a range is that of what is finite", () => {
  same(range([3, NaN, -1, Infinity]), { whole: [-1, 3], shown: [-1, 3], above: 0, below: 0 });
  assert.equal(range([NaN, -Infinity]), null);
  assert.equal(range([]), null);
  same(range([-0]), { whole: [0, 0], shown: [0, 0], above: 0, below: 0 });
});

test("one outlier in the first epoch is cut", () => {
  const falling = Array.from({ length: 20 }, (_, at) => 1 / (at + 1));
  same(range([1e6, ...falling.slice(1)]), { whole: [0.05, 1e6], shown: [0.05, 0.5], above: 1, below: 0 });
  same(range([-1e6, ...falling.slice(1)]), { whole: [-1e6, 0.5], shown: [0.05, 0.5], above: 0, below: 1 });
  same(range([1e308, -1e308, 1, 2, 3, 4]), { whole: [-1e308, 1e308], shown: [1, 4], above: 1, below: 1 });
});

for (const [words, values] of [
  ["falls as losses do", Array.from({ length: 1000 }, (_, at) => 1 / (at + 1))],
  ["falls in steps", [0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001]],
  ["is the same but once", [1, 1, 1, 5, 1, 1, 1, 1]],
  ["has few values", [1e6, 1, 2]],
  ["differs by what no number tells", [5, 1, 1 + 1e-9, 1 + 2e-9, 1 + 3e-9, 1]],
  ["is of two levels", [0, 0, 0, 0, 100, 100, 100, 100]],
]) {
  test(`nothing is cut where it ${words}`, () => {
    const { whole, shown, above, below } = range(values);
    same([shown, above, below], [plain(whole), 0, 0]);
  });
}

test("a logarithmic range is of what is above 0, and is cut by its powers", () => {
  same(range([-3, 0, 2, 8], true), { whole: [2, 8], shown: [2, 8], above: 0, below: 0 });
  assert.equal(range([-3, 0, -0], true), null);
  same(range([1e6, 1, 0.1, 0.2, 0.5], true).above, 0);
  same(range([1e300, 1, 0.1, 0.2, 0.5], true), { whole: [0.1, 1e300], shown: [0.1, 1], above: 1, below: 0 });
});

test("a value's share of a range may be outside, and is never no number", () => {
  assert.equal(charts.shareIn([0, 10], 2.5, false), 0.25);
  assert.equal(charts.shareIn([0, 10], 20, false), 2);
  assert.equal(charts.shareIn([1, 100], 10, true), 0.5);
  assert.equal(charts.shareIn([3, 3], 3, false), 0.5);
  assert.equal(charts.shareIn([-1e308, 1e308], 0, false), 0.5);
});

// Lines

function line(points) {
  return charts.linePath([...points.keys()], (index) => points[index]);
}

test("a line goes on over what was not measured, and breaks where it is no number", () => {
  assert.equal(line([[0, 1], null, [20, 2]]), "M0.00 1.00L20.00 2.00");
  assert.equal(line([[0, 1], [5, 2], undefined, [20, 2], [25, 3]]), "M0.00 1.00L5.00 2.00M20.00 2.00L25.00 3.00");
});

test("a value between two gaps is short, and can be seen", () => {
  assert.equal(line([undefined, [10, 2], undefined]), "M8.50 2.00L11.50 2.00");
  assert.equal(line([undefined, undefined]), "");
  assert.equal(line([]), "");
});

test("of the values of one pixel the lowest and the highest are drawn", () => {
  const points = Array.from({ length: 10000 }, (_, at) => [at / 100, at === 5050 ? -7 : at === 5070 ? 99 : at % 3]);
  const path = line(points);
  assert.ok(path.length < 100 * 30);
  assert.ok(path.includes("50.00 -7.00L50.00 99.00"), path.slice(700, 900));
});

// Columns

const LOGS = entries(
  { epoch: 1, logs: { loss: 3, note: "a", odd: "text" } },
  { epoch: 2, logs: { loss: "NaN", val_loss: 2, odd: -0 }, metrics: { loss: { mean: 7 }, iou: { mean: "Infinity" } } },
  { epoch: 3 },
  { epoch: 4, logs: null, metrics: "x" },
);

test("a column is each name's numbers, and where there are such", () => {
  const columns = charts.columnsOf(LOGS);
  same([...columns.keys()], ["loss", "val_loss", "odd", "loss (samples)", "iou"]);
  same([...columns.get("loss").values], [3, null, null, null]);
  same([...columns.get("loss").has], [1, 1, 0, 0]);
  same(charts.oddCounts([columns.get("loss"), columns.get("iou")]), { nan: 1, infinite: 1 });
});

const named = (names) => new Map(names.map((name) => [name, { values: [1], has: [1] }]));
const drawn = (tables) =>
  plain(charts.groupsOf(tables)).map(({ names, lines }) => [names.join(), ...lines.map((one) => `${one.series}${one.rank}`)].join(" "));

test("one run has a metric and its validation in one chart, several each in one of their own", () => {
  same(drawn([named(["loss", "val_loss", "val_x"])]), ["loss,val_loss 00 01", "val_x 00"]);
  same(drawn([named(["val_loss", "loss"]), named(["loss", "g"])]), ["loss 00 10", "val_loss 00", "g 10"]);
  same(drawn([named(["__proto__", "constructor"])]), ["__proto__ 00", "constructor 00"]);
  same(drawn([]), []);
});

test("a measure is found by the name that it goes by", () => {
  assert.equal(charts.measureOf(LOGS[1], "loss (samples)").mean, 7);
  assert.equal(charts.measureOf(LOGS[1], "iou").mean, "Infinity");
  for (const name of ["loss", "iou (samples)", "toString"]) assert.equal(charts.measureOf(LOGS[1], name), undefined);
  assert.equal(charts.measureOf(undefined, "iou"), undefined);
});

// The best

for (const [direction, names] of [
  ["least", ["loss", "val_loss", "d_loss", "g_loss", "mae", "val_mse", "root_mean_squared_error", "RMSE",
             "meanAbsoluteError", "dice_loss", "accuracy_loss", "kl_divergence", "false_positives", "fid", "perplexity"]],
  ["most", ["acc", "val_acc", "sparse_categorical_accuracy", "auc", "AUC", "precision", "recall_1", "mean_io_u", "iou",
            "val_mIoU", "dice", "psnr", "ssim", "f1_score", "f1", "cosine_similarity", "true_positives", "diversity"]],
  [null, ["lr", "learning_rate", "grad_norm", "temperature", "map_size", "beta", "", "macro", "maestro"]],
]) {
  test(`the best of these names is the ${direction}`, () => {
    for (const name of names) assert.equal(charts.directionOf(name, []), direction, name);
  });
}

test("of a measure the worst samples tell, whatever its name is", () => {
  const of = (found, name = "loss") => charts.directionOf(name, [{}, { metrics: { [name]: found } }]);
  assert.equal(of({ mean: 2, worst: [[1, "NaN"], [0, 1]] }), "most");
  assert.equal(of({ mean: 2, worst: [[1, 5]] }, "iou"), "least");
  assert.equal(of({ mean: 2, worst: [[1, 2]] }, "iou"), "most");
  assert.equal(of({ mean: 2, worst: "5" }, "odd"), null);
});

test("the best is the first of equal ones, and finite", () => {
  assert.equal(charts.bestPlace([3, NaN, 1, 1, -Infinity], "least"), 2);
  assert.equal(charts.bestPlace([3, Infinity, 3], "most"), 0);
  assert.equal(charts.bestPlace([NaN], "most"), -1);
});

test("of several runs the best of all is found, and none where all are equal", () => {
  const lines = [{ values: [3, NaN, 2] }, { values: [5, 1] }];
  const best = charts.bestOf(lines, "least");
  assert.equal(best.line, lines[1]);
  assert.equal(best.index, 1);
  assert.equal(charts.bestOf(lines, "most").index, 0);
  for (const values of [[], [NaN], [2], [2, 2, NaN], [0, -0]]) assert.equal(charts.bestOf([{ values }], "least"), null);
});

// Colours

/* Of what dichromats see, in linear RGB (Machado, Oliveira and Fernandes, 2009). */
const SEEN_BY = {
  everyone: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopes: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopes: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopes: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]];
const times = (matrix, vector) => matrix.map((row) => row.reduce((sum, one, at) => sum + one * vector[at], 0));

function linear(hex) {
  return [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
}

/* Of CIELAB, in which a difference of 2 can just be seen. */
function lab(rgb) {
  const white = [0.9505, 1, 1.089];
  const [x, y, z] = times(XYZ, rgb.map((one) => Math.min(1, Math.max(0, one)))).map((one, at) => {
    const share = one / white[at];
    return share > 0.008856 ? Math.cbrt(share) : 7.787 * share + 16 / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/* The values of a custom property, in light and in dark. */
const colors = (style, name) => [...read(style).matchAll(new RegExp(`${name}: (#\\w{6})`, "g"))].map(([, hex]) => hex);

for (const [at, scheme] of ["light", "dark"].entries()) {
  const runs = [0, 1, 2, 3].map((number) => linear(colors("web/facts.css", `--run-${number}`)[at]));

  test(`lines of runs stand out from the ${scheme} page`, () => {
    const [paper] = times([XYZ[1]], linear(colors("web/base.css", "--paper")[at]));
    for (const run of runs) {
      const [luminance] = times([XYZ[1]], run);
      const [low, high] = [paper, luminance].sort((a, b) => a - b);
      assert.ok((high + 0.05) / (low + 0.05) >= 3.5);
    }
  });

  for (const [who, matrix] of Object.entries(SEEN_BY)) {
    test(`${who} tell the ${scheme} colours of runs apart`, () => {
      const seen = runs.map((run) => lab(times(matrix, run)));
      seen.forEach((one, number) => seen.slice(0, number).forEach((other) => {
        assert.ok(Math.hypot(...one.map((value, part) => value - other[part])) > 30);
      }));
    });
  }
}
