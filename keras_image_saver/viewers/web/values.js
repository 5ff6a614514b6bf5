/* What each sample had by each measure. It stands in scripts beside the record's, which are loaded once
   somebody asks. */

const VALUES = "snapshots-metrics";
const MOST_VALUE_FILES = 8; // of 256 snapshots each

/* The rows of a file, by their entries' keys; null for nonsense. */
function parseValues(text) {
  try {
    const { keys, metrics, full } = JSON.parse(text);
    const rows = new Map(keys.map(([epoch, batch, step], row) => [entryKey({ epoch, batch, step }), row]));
    const steps = keys.map(([, , step]) => step);
    return {
      rows,
      steps,
      metrics: new Map(Object.entries(metrics)),
      read: new Map(), // rows that were asked for, as numbers
      full: Number(full) || 0,
    };
  } catch {
    return null;
  }
}

/* A row as numbers: by measure one a sample, or one of the whole grid. It is parsed once. A measure that the
   row's entry does not name had nothing to compare with, and its NaN is no number. */
function valuesIn(file, row, entry) {
  if (!file.read.has(row)) {
    const measures = [...file.metrics].filter(([name]) => Object.hasOwn(entry.metrics, name));
    const texts = measures.map(([name, rows]) => [name, String(rows?.[row] ?? "")]);
    const numbers = texts.map(([name, text]) => [name, Float32Array.from(text.split(" "), Number)]);
    file.read.set(row, new Map(numbers.filter((_, index) => texts[index][1] !== "")));
  }
  return file.read.get(row);
}

/* Where to look among full files for a step: before this file (-1), in it (0) or after it (1). */
function sideOf(file, step) {
  const { steps } = file;
  if (steps.length === 0) return 0;
  return step < steps[0] ? -1 : step > steps.at(-1) ? 1 : 0;
}

class SampleValues {
  /* `load` resolves to the text of a part of the record, or undefined. */
  constructor(load = loadValues) {
    this.load = load;
    this.files = new Map(); // full ones by their number, which change no more
    this.newest = null;
    this.text = null; // of the record that the newest one was loaded for
  }

  /* What the samples of an entry had, by measure; null where nothing is known. */
  async of(entry, recordText) {
    if (!entry?.metrics) return null;
    await this.renew(recordText);
    return this.known(entry) ?? (await this.search(entry));
  }

  /* The same from what is loaded, at once; undefined where that is not enough. */
  known(entry) {
    if (!entry?.metrics) return null;
    const key = entryKey(entry);
    for (const file of [this.newest, ...this.files.values()]) {
      const row = file?.rows.get(key);
      if (row !== undefined) return valuesIn(file, row, entry);
    }
    return undefined;
  }

  /* Steps rise from file to file, so that halving finds the one; where they do not, all are looked at. */
  async search(entry) {
    const count = this.newest?.full ?? 0;
    const key = entryKey(entry);
    const seen = new Set();
    const look = async (number) => {
      seen.add(number);
      const file = await this.full(number);
      const row = file?.rows.get(key);
      return { file, found: row === undefined ? null : valuesIn(file, row, entry) };
    };
    for (let low = 0, high = count; low < high; ) {
      const middle = (low + high) >> 1;
      const { file, found } = await look(middle);
      if (found) return found;
      const side = file ? sideOf(file, entry.step) : 0;
      if (side === 0) break;
      if (side < 0) high = middle;
      else low = middle + 1;
    }
    for (let number = count - 1; number >= 0; number--) {
      if (seen.has(number)) continue;
      const { found } = await look(number);
      if (found) return found;
    }
    return null;
  }

  /* The samples of an entry in an order; null where their values are not known. */
  async order(by, kind, entry, recordText) {
    const values = (await this.of(entry, recordText))?.get(by);
    const largerIsWorse = isLargerWorse(entry.metrics?.[by]);
    if (!values || largerIsWorse === null) return null;
    if (kind !== "worse") return worstFirst(values, largerIsWorse);
    return worseFirst(values, await this.before(by, entry), largerIsWorse);
  }

  /* The values by a measure of all snapshots before an entry. */
  async before(by, entry) {
    const found = [];
    for (let number = 0; number <= (this.newest?.full ?? 0); number++) {
      const file = number === this.newest?.full ? this.newest : await this.full(number);
      file?.steps.forEach((step, row) => {
        if (step >= entry.step) return;
        const values = file.read.get(row)?.get(by);
        const text = file.metrics.get(by)?.[row];
        if (values || text) found.push(values ?? Float32Array.from(String(text).split(" "), Number));
      });
    }
    return found;
  }

  async renew(recordText) {
    if (this.text === recordText) return;
    const text = await this.load("metrics", VALUES);
    this.newest = text === undefined ? null : parseValues(text);
    this.text = recordText;
  }

  async full(number) {
    if (!this.files.has(number)) {
      const text = await this.load(`metrics-${number}`, `${VALUES}-${String(number).padStart(4, "0")}`);
      const file = text === undefined ? null : parseValues(text);
      if (file === null) return null;
      this.files.set(number, file);
      if (this.files.size > MOST_VALUE_FILES) this.files.delete(this.files.keys().next().value);
    }
    return this.files.get(number);
  }
}

async function loadValues(segment, name) {
  inbox.delete(segment);
  await loadScript(`${name}.js`);
  const text = inbox.get(segment);
  inbox.delete(segment);
  return text;
}
