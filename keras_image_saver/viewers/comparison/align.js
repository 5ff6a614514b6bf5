/* Where each run stands at one place of all: by epoch, by step, or by the time since it began. Neither
   document nor timer is used here, so that Node alone can test it. */

const ALIGNED_BY = ["epoch", "step", "time"];

/* When a run began, in seconds since 1970; the first snapshot's time where nothing else tells. */
function beganAt(run) {
  const { started } = run.about;
  if (Number.isFinite(started)) return started;
  return run.history.find((entry) => entry.time > 0)?.time ?? NaN;
}

/* How far the run was at each entry, in the axis' unit. It never goes back, as steps do not. */
function axisValues(run, entries, axis) {
  const began = axis === "time" ? beganAt(run) : 0;
  let far = 0;
  return Float64Array.from(entries, (entry) => {
    const value = axis === "time" && !(entry.time > 0) ? NaN : Number(entry[axis]) - began;
    if (value > far) far = value; // also where it is NaN
    return far;
  });
}

/* The last place at which a value is reached, -1 where even the first one lies beyond. */
function placeUpTo(values, position) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/* All places that any run has, each once. */
function positionsOf(columns) {
  const found = new Set();
  for (const values of columns) for (const value of values) found.add(value);
  return Float64Array.from(found).sort();
}

/* What a run shows at a position: its snapshot there, else the one before, else its first. */
function shownAt(run, values, position) {
  if (run.entries.length === 0) return { entry: null, index: -1, isThere: false };
  const index = Math.max(0, placeUpTo(values, position));
  return { entry: run.entries[index], index, isThere: values[index] === position };
}

/* Why a run does not show what was asked for; "" where it does, or where no two runs would meet. */
function offText(run, shown, position, axis) {
  if (shown.entry === null) return "no snapshot yet";
  if (shown.isThere || axis === "time") return "";
  if (shown.index === run.entries.length - 1) return "its last";
  if (shown.index === 0 && shown.value > position) return "its first";
  return `it has no ${axis} ${position}`;
}

const TIME_UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

/* A stretch of time in its two largest units. */
function durationText(seconds) {
  if (!Number.isFinite(seconds)) return "unknown";
  let rest = Math.max(0, Math.round(seconds));
  const parts = [];
  for (const [unit, length] of TIME_UNITS) {
    const count = Math.floor(rest / length);
    if (count > 0 || (parts.length === 0 && unit === "s")) parts.push(`${count} ${unit}`);
    rest -= count * length;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

function positionText(position, axis) {
  if (position === undefined) return "";
  if (axis === "time") return durationText(position);
  return position === 0 && axis === "epoch" ? "untrained" : `${axis} ${position}`;
}
