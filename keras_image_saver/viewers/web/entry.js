/* What an entry of the record says. It is data and may be anything, so nonsense has an answer too.
   Neither document nor timer is used here, so that Node alone can test it. */

/* Entries of one key are of the same place in the run, and the later one counts. */
function entryKey(entry) {
  return `${entry.epoch} ${entry.batch} ${entry.batch ? 0 : entry.step}`;
}

/* Where an entry stands among others, or -1 if it is gone or another one has its key. */
function placeOf(entry, entries) {
  if (entry === undefined) return -1;
  const key = entryKey(entry);
  return entries.findIndex((one) => entryKey(one) === key && one.time === entry.time);
}

/* Where an entry stands among those that are shown; one that was removed has the place of the next one
   there. -1 if it is not in the run any more. */
function placeShown(entry, shown, history) {
  const place = placeOf(entry, shown);
  if (place >= 0 || placeOf(entry, history) < 0) return place;
  const next = shown.findIndex((one) => (one.step || 0) >= (entry.step || 0));
  return next < 0 ? shown.length - 1 : next;
}

const isStep = (value) => Number.isSafeInteger(value) && value >= 0;

/* Where the snapshot stands that an address asks for by epoch or step, and why it is another one that
   stands there; -1 where none is so far. An epoch alone is its last snapshot. */
function placeAsked({ epoch, step }, shown, history) {
  const fits = (one) => (epoch === null || one.epoch === epoch) && (step === null || one.step === step);
  const place = shown.findLastIndex(fits);
  if (place >= 0) return { place, why: "" };
  const isAfter = (one) =>
    (epoch === null ? false : one.epoch > epoch) ||
    (step === null ? false : (epoch === null || one.epoch === epoch) && one.step > step);
  const next = shown.findIndex(isAfter);
  const why = history.some(fits) ? "was removed" : "has no snapshot";
  return { place: next < 0 && history.some(fits) ? shown.length - 1 : next, why };
}

function askedName({ epoch, step }) {
  const words = [epoch === null ? "" : `Epoch ${epoch}`, step === null ? "" : `step ${step}`];
  return words.filter(Boolean).join(", ").replace(/^s/, "S");
}

/* Whether the picture was removed, as `max_to_keep` has it; then it is neither missed nor missing. */
function isRemoved(entry) {
  return entry.removed === true && Boolean(entry.file);
}

/* Each is a file of 256 snapshots; so many that are not there are told within two seconds. */
const MOST_SEGMENTS = 1024;

/* Which full parts of the record to load, of their count or a list of their numbers, and how many are
   left out: of too many the oldest and the newest are taken, and no number may be beyond reason. */
function wantedSegments(segments) {
  const listed = Array.isArray(segments);
  const count = listed ? segments.length : segments;
  if (!Number.isFinite(count) || count < 0) return { wanted: [], leftOut: 1 };
  const taken = Math.min(count, MOST_SEGMENTS);
  const numbers = Array.from({ length: taken }, (_, index) => {
    const place = index < taken / 2 ? index : count - taken + index;
    return listed ? segments[place] : place;
  });
  const wanted = new Set(numbers.filter((number) => Number.isSafeInteger(number) && number >= 0));
  return { wanted: [...wanted], leftOut: count - wanted.size };
}

function epochName(entry) {
  return entry.epoch ? `epoch ${entry.epoch}` : entry.step ? `step ${entry.step}` : "untrained";
}

/* Epochs do not tell the snapshots of one epoch apart. */
function snapshotName(entry, severalAnEpoch) {
  const name = epochName(entry);
  return severalAnEpoch && entry.epoch ? `${name}, step ${entry.step}` : name;
}

function haveSeveralAnEpoch(entries) {
  return entries.some((entry, index) => index > 0 && entry.epoch === entries[index - 1].epoch);
}

function countsText(history) {
  const missed = history.filter((entry) => !entry.file).length;
  const removed = history.filter(isRemoved).length;
  const count = history.length - removed;
  const words = `${count} ${count === 1 ? "snapshot" : "snapshots"}`;
  return words + (missed ? `, ${missed} of them missed` : "") + (removed ? `, ${removed} removed` : "");
}

/* Where the missed snapshots stand on a slider of so many pixels, at most one a pixel. */
function missedPlaces(entries, width) {
  const last = entries.length - 1;
  const places = new Set();
  entries.forEach((entry, index) => {
    if (!entry.file) places.add(Math.round(last ? (width * index) / last : width / 2));
  });
  return [...places];
}

/* The value of a metric to draw: NaN, also for what is no number. */
function numeric(value) {
  return typeof value === "number" ? value : NaN;
}

/* JSON has no NaN and no infinity, so the record holds their names. */
function isNumeric(value) {
  return typeof value === "number" || ["NaN", "Infinity", "-Infinity"].includes(value);
}

/* All that is told of an entry by numbers: its logs, and of each measure the mean over the samples. A
   measure that has the name of a log goes by another one. */
function numbersOf(entry) {
  const logs = entry?.logs ?? {};
  const measured = Object.entries(entry?.metrics ?? {}).map(([name, found]) => [
    Object.hasOwn(logs, name) ? `${name} (samples)` : name,
    found?.mean,
  ]);
  return [...Object.entries(logs), ...measured];
}

/* How many samples have no number by a measure, which its mean leaves out; "" for none. */
function unknownText(found) {
  const count = found?.nan;
  return Number.isSafeInteger(count) && count > 0 ? `${count} NaN` : "";
}

/* The samples that a measure found worst, the worst first. */
function worstOf(found) {
  const listed = Array.isArray(found?.worst) ? found.worst : [];
  return listed.map((one) => one?.[0]).filter((number) => Number.isSafeInteger(number) && number >= 0);
}

function shortNumber(value) {
  if (!Number.isFinite(value)) return String(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)));
}

/* A text that is no longer than a page can show: some logs hold what nobody reads there. */
const LONGEST_TEXT = 2000;
const cutText = (text) => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}\u2026` : text);

function valueText(value) {
  if (typeof value === "number") return shortNumber(value);
  return cutText(typeof value === "string" ? value : JSON.stringify(value) ?? "");
}

const isCount = (value) => Number.isInteger(value) && value > 0 && value <= 100000;
const isPair = (value) => Array.isArray(value) && value.length === 2 && value.every(Number.isFinite);

/* Where the tiles stand in the picture, or null if the entry does not tell. A tile is that of a panel,
   with all its slices where it has such: they stand side by side, and the panels below one another. */
function tilesOf(entry) {
  const geometry = entry?.geometry ?? {};
  const { origin, tile, stride, columns, count, panels } = geometry;
  const { sample_gap: gap = [0, 0], slices = [] } = geometry;
  const whole = [origin, tile, stride, gap].every(isPair) && isCount(columns) && isCount(count);
  if (!whole || !Array.isArray(panels) || panels.length === 0 || !Array.isArray(slices)) return null;
  const sliced = slices.length > 0;
  const depth = Math.max(1, slices.length);
  const [down, across] = sliced ? [panels.length, depth] : [1, panels.length];
  const step = [down * stride[0] + gap[0], across * stride[1] + gap[1]];
  const width = (depth - 1) * stride[1] + tile[1];
  return {
    count,
    columns,
    width,
    height: tile[0],
    panels: panels.map(String),
    slices: slices.map(String),
    /* [x, y] of a tile's upper left corner */
    corner: (sample, panel) => [
      origin[1] + (sample % columns) * step[1] + (sliced ? 0 : panel * stride[1]),
      origin[0] + Math.floor(sample / columns) * step[0] + (sliced ? panel * stride[0] : 0),
    ],
    /* width and height of all of a sample's panels */
    across: (across - 1) * stride[1] + tile[1],
    down: (down - 1) * stride[0] + tile[0],
  };
}

/* What a panel is called where it stands alone. */
function panelName(name, { slices }) {
  return slices.length ? `${name}, ${slices.length === 1 ? "slice" : "slices"} ${slices.join(", ")}` : name;
}
