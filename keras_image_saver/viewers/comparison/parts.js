/* The parts of a run's record as they come, embedded or posted by somebody else's document: data that may
   be anything. Neither document nor timer is used here. */

const KNOWN_FORMAT = 1;
const MOST_OF_A_PART = 32_000_000; // characters
const MOST_ENTRIES_OF_A_PART = 4096;

/* The text of the part that was asked for in what a frame posted, or null. */
function partIn(posted, segment) {
  if (posted === null || typeof posted !== "object" || posted.kerasImageSaver !== segment) return null;
  const { text } = posted;
  return typeof text === "string" && text.length <= MOST_OF_A_PART ? text : null;
}

/* A part of the record, as an object with `entries`; null for nonsense. */
function parsePart(text) {
  try {
    const part = JSON.parse(text);
    if (!Array.isArray(part?.entries)) return null;
    return { ...part, entries: part.entries.filter(isObject).slice(0, MOST_ENTRIES_OF_A_PART).map(cleanEntry) };
  } catch {
    return null;
  }
}


/* An entry with fields of the types that entries have, whatever they were. */
function cleanEntry(entry) {
  const count = (value) => (Number.isSafeInteger(value) && value >= 0 ? value : 0);
  const clean = { ...entry, time: isTime(entry.time) ? entry.time : 0 };
  for (const name of ["epoch", "batch", "step"]) clean[name] = count(entry[name]);
  for (const name of ["logs", "metrics", "geometry"]) clean[name] = isObject(entry[name]) ? entry[name] : {};
  clean.file = typeof entry.file === "string" && entry.file !== "" ? entry.file : null;
  return clean;
}

/* Entries of an embedded record, each with its geometry, which stands there once for many. */
function entriesOf({ entries, geometries }) {
  return entries.map((entry) => cleanEntry({ ...entry, geometry: geometries[entry.geometry] }));
}

/* Entries of some parts in the order of steps; of one place in the run the later one counts. */
function mergedEntries(parts) {
  const found = new Map();
  for (const entries of parts) {
    for (const entry of entries) {
      const key = entryKey(entry);
      found.delete(key);
      found.set(key, entry);
    }
  }
  return [...found.values()].sort((a, b) => (a.step || 0) - (b.step || 0));
}

/* What a card shows of a run, by the newest part of its record; null for nonsense. */
function cardChanges(text) {
  const part = parsePart(text);
  if (part === null) return null;
  const drawn = mergedEntries([part.entries]).filter((entry) => !isRemoved(entry));
  const times = part.entries.map((entry) => entry.time).filter(isTime).sort((a, b) => a - b);
  const changes = { entry: drawn.at(-1) ?? null, shown: drawn.findLast((entry) => entry.file) ?? null };
  changes.interval = times.length > 1 ? medianOf(times.slice(1).map((time, index) => time - times[index])) : null;
  if (times.length > 0) changes.time = times.at(-1);
  return changes;
}
