/* From numbers to places on a chart: axes, ticks, ranges, the path of a line. Neither document nor
   timer is used here, so that Node alone can test it. */

const AXES = { epoch: "Epochs", step: "Steps", time: "Wall time" };

const finiteOrNaN = (value) => (Number.isFinite(value) ? value : NaN);

/* How many batches an epoch has, as far as the entries tell. */
function batchesOf(entries) {
  let most = 0;
  for (const { epoch, batch, step } of entries) {
    const before = epoch > 1 ? (step - batch) / (epoch - 1) : 0;
    most = Math.max(most, finiteOrNaN(batch) || 0, finiteOrNaN(before) || 0);
  }
  return most;
}

/* Where the entries stand on an axis, NaN for one that has no place: epochs done, a part of one where
   there are several snapshots an epoch; steps; seconds since the first snapshot. */
function placesOn(axis, entries) {
  if (axis === "step") return Float64Array.from(entries, ({ step }) => finiteOrNaN(step));
  if (axis === "time") {
    const times = Float64Array.from(entries, ({ time }) => finiteOrNaN(time));
    const first = times.reduce((least, time) => (time < least ? time : least), Infinity);
    return times.map((time) => time - first);
  }
  const batches = haveSeveralAnEpoch(entries) ? batchesOf(entries) : 0;
  return Float64Array.from(entries, ({ epoch, batch }) => {
    const within = epoch > 0 && batch > 0 && batch < batches;
    return within ? epoch - 1 + batch / batches : finiteOrNaN(epoch);
  });
}

/* [least, most] of what is finite, or null. */
function extent(columns) {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (value < low && Number.isFinite(value)) low = value;
      if (value > high && Number.isFinite(value)) high = value;
    }
  }
  return low > high ? null : [low, high];
}

/* The axes by which the series can be told apart, the most telling one first. */
function axesOf(series) {
  const spans = Object.keys(AXES).map((axis) => {
    const [low, high] = extent(series.map(({ entries }) => placesOn(axis, entries))) ?? [0, 0];
    return [axis, high - low];
  });
  const telling = spans.filter(([, span]) => span > 0).map(([axis]) => axis);
  const [[, epochs]] = spans;
  if (epochs < 1 && telling[0] === "epoch") telling.push(telling.shift()); // within one epoch
  return telling.length ? telling : ["epoch"];
}

/* Numbers of entries that have a place, from left to right. */
function orderOf(places) {
  const order = [...places.keys()].filter((index) => Number.isFinite(places[index]));
  let sorted = true;
  for (let at = 1; at < order.length && sorted; at++) sorted = places[order[at - 1]] <= places[order[at]];
  return sorted ? order : order.sort((a, b) => places[a] - places[b]);
}

/* The position in `order` of what stands nearest to a place; -1 where nothing has a place. */
function nearestTo(place, order, places) {
  let low = 0;
  let high = order.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[order[middle]] < place) low = middle + 1;
    else high = middle;
  }
  const isBefore = low > 0 && place - places[order[low - 1]] <= places[order[low]] - place;
  return isBefore ? low - 1 : Math.min(low, order.length - 1);
}

/* 1, 2 or 5 times a power of ten, so that a span has at most so many steps. */
function niceStep(span, most) {
  const power = 10 ** Math.floor(Math.log10(span / most));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => span / step <= most) ?? 10 * power;
}

/* The multiples of a step from `low` to `high`. */
function multiples(step, low, high, most) {
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.min(most, Math.floor(high / step + 1e-9) - first) + 1;
  if (!(count > 0)) return [];
  return Array.from({ length: count }, (_, at) => Number(((first + at) * step).toPrecision(12)));
}

/* At most `most` + 1 round numbers from `low` to `high`; whole ones where `whole`. */
function ticksOf(low, high, most, whole = false) {
  const span = high - low;
  if (span === 0) return [low];
  if (!Number.isFinite(span)) return [low, 0, high];
  const step = niceStep(span, most);
  return multiples(whole ? Math.max(1, step) : step, low, high, most);
}

const SECONDS = { s: 1, min: 60, h: 3600, d: 86400 };
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200];

function timeTicks(low, high, most) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const step = TIME_STEPS.find((one) => span / one <= most) ?? SECONDS.d * Math.max(1, niceStep(span / SECONDS.d, most));
  return multiples(step, low, high, most);
}

/* Powers of ten, or of one decade the round numbers in it. */
function logTicks(low, high, most) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const every = Math.max(1, Math.ceil((last - first) / most));
  const powers = [];
  for (let power = first; power <= last; power += every) powers.push(Number(`1e${power}`));
  return powers.length > 1 ? powers : ticksOf(low, high, most);
}

function axisTicks(axis, low, high, most) {
  return axis === "time" ? timeTicks(low, high, most) : ticksOf(low, high, most, true);
}

/* A time since the start, in the unit that `step` is told in. */
function timeText(seconds, step = seconds) {
  const unit = Object.keys(SECONDS).findLast((one) => SECONDS[one] <= Math.abs(step)) ?? "s";
  return seconds === 0 ? "0" : `${shortNumber(Number((seconds / SECONDS[unit]).toFixed(1)))} ${unit}`;
}

/* A number with the digits that tell it from those a step away. */
function tickText(value, step = 0) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const digits = step > 0 ? Math.min(12, Math.max(1, Math.ceil(Math.log10(size / step)) + 2)) : 4;
  const isLong = size < 1e-3 || (size >= 1e5 && digits < 6);
  return isLong ? value.toExponential(digits - 1).replace(/\.?0*e\+?/, "e") : String(Number(value.toPrecision(digits)));
}

function axisText(axis, place, step) {
  return axis === "time" ? timeText(place, step) : shortNumber(place);
}

/* An outlier is cut where what remains would fill less than a tenth of the chart with it. */
const FLATTENED = 10;
const TRIMMED = 0.02; // of the values, at either end, and one at least
const FENCE = 3; // spans of what is left

/* What a chart shows of values: {whole, shown, above, below}, the ranges as [least, most] and how many
   are cut, or null where nothing can be drawn. A logarithmic one has only what is above 0. */
function rangesOf(columns, isLog) {
  const known = columns.flatMap((column) =>
    [...column].filter((value) => Number.isFinite(value) && (!isLog || value > 0)));
  if (known.length === 0) return null;
  const sorted = Float64Array.from(known).sort();
  const last = sorted.length - 1;
  const whole = [sorted[0], sorted[last]];
  const size = isLog ? Math.log10 : (value) => value / 2; // halves, since a span may be infinite
  const cut = Math.max(1, Math.floor(TRIMMED * sorted.length));
  if (last < 2 * cut) return { whole, shown: whole, above: 0, below: 0 };
  const [low, high] = [size(sorted[cut]), size(sorted[last - cut])];
  const reach = FENCE * (high - low);
  const isInside = (value) => size(value) >= low - reach && size(value) <= high + reach;
  const shown = [sorted.find(isInside), sorted.findLast(isInside)];
  const span = size(shown[1]) - size(shown[0]);
  const isFlattened = FLATTENED * span < size(whole[1]) - size(whole[0]);
  // Differences that no number on the page would tell are none to make room for.
  const isTold = span > 1e-4 * Math.max(Math.abs(size(shown[0])), Math.abs(size(shown[1])));
  if (!isFlattened || !isTold) return { whole, shown: whole, above: 0, below: 0 };
  const above = known.filter((value) => value > shown[1]).length;
  return { whole, shown, above, below: known.filter((value) => value < shown[0]).length };
}

/* How far up a value stands: 0 at the range's least, 1 at its most, beyond them where it is cut. */
function shareIn([low, high], value, isLog) {
  const size = isLog ? Math.log10 : (one) => one / 2;
  const span = size(high) - size(low);
  return span > 0 ? (size(value) - size(low)) / span : 0.5;
}

/* A line through points in order. `pointAt` gives [x, y], null where nothing was measured, which the
   line passes over, or undefined where it breaks. Where several points fall on a pixel it goes through
   the lowest and the highest, so that no spike is lost; a point between two gaps is a dot. */
function linePath(order, pointAt) {
  let path = "";
  let run = [];
  let pixel = null;
  const flush = () => {
    if (!pixel) return;
    const { x, low, high } = pixel;
    run.push([x, high]);
    if (low > high) run.push([x, low]);
    pixel = null;
  };
  const end = () => {
    flush();
    const [[x, y]] = run.length === 1 ? run : [[]];
    if (run.length === 1) run = [[x - 1.5, y], [x + 1.5, y]]; // long enough to be seen
    if (run.length) path += `M${run.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}`;
    run = [];
  };
  for (const index of order) {
    const point = pointAt(index);
    if (point === undefined) end();
    if (!point) continue;
    const [x, y] = point;
    if (pixel && Math.floor(pixel.x) === Math.floor(x)) {
      pixel.low = Math.max(pixel.low, y); // y goes down
      pixel.high = Math.min(pixel.high, y);
      continue;
    }
    flush();
    pixel = { x, low: y, high: y };
  }
  end();
  return path;
}

const RUN_COLORS = 4;

/* The colour of a run among several, a custom property of the style. */
function runColor(number) {
  return `var(--run-${number % RUN_COLORS})`;
}
