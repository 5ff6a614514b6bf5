/* What an entry of the record says. It is data and may be anything, so nonsense has an answer too.
   Neither document nor timer is used here, so that Node alone can test it. */

/* Entries of one key are of the same place in the run, and the later one counts. */
function entryKey(entry) {
  return `${entry.epoch} ${entry.batch} ${entry.batch ? 0 : entry.step}`;
}

function epochName(entry) {
  return entry.epoch ? `epoch ${entry.epoch}` : entry.step ? `step ${entry.step}` : "untrained";
}

/* Epochs do not tell the snapshots of one epoch apart. */
function snapshotName(entry, severalAnEpoch) {
  const name = epochName(entry);
  return severalAnEpoch && entry.epoch ? `${name}, step ${entry.step}` : name;
}

/* The value of a metric to draw: NaN, also for what is no number. */
function numeric(value) {
  return typeof value === "number" ? value : NaN;
}

/* JSON has no NaN and no infinity, so the record holds their names. */
function isNumeric(value) {
  return typeof value === "number" || ["NaN", "Infinity", "-Infinity"].includes(value);
}

function shortNumber(value) {
  if (!Number.isFinite(value)) return String(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}

function valueText(value) {
  if (typeof value === "number") return shortNumber(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

const isCount = (value) => Number.isInteger(value) && value > 0 && value <= 100000;
const isPair = (value) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);

/* Where the tiles stand in the picture, or null if the entry does not tell. */
function tilesOf(entry) {
  const { origin, tile, stride, columns, count, panels } = entry?.geometry ?? {};
  const whole = [origin, tile, stride].every(isPair) && isCount(columns) && isCount(count);
  if (!whole || !Array.isArray(panels) || panels.length === 0) return null;
  const [height, width] = tile;
  const column = (sample, panel) => (sample % columns) * panels.length + panel;
  return {
    count,
    columns,
    width,
    height,
    panels: panels.map(String),
    /* [x, y] of a tile's upper left corner */
    corner: (sample, panel) => [
      origin[1] + column(sample, panel) * stride[1],
      origin[0] + Math.floor(sample / columns) * stride[0],
    ],
    /* width of all of a sample's panels */
    across: (panels.length - 1) * stride[1] + width,
  };
}
