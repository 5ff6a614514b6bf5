/* What each sample had by each measure. It stands in scripts beside the record's, which are loaded once
   a sample is looked at. */

const VALUES = "snapshots-metrics";

/* The number of a row by its entry's key, and the rows' texts by measure; null for nonsense. */
function parseValues(text) {
  try {
    const { keys, metrics, full } = JSON.parse(text);
    const rows = new Map(keys.map(([epoch, batch, step], row) => [entryKey({ epoch, batch, step }), row]));
    return { rows, metrics: new Map(Object.entries(metrics)), full: Number(full) || 0 };
  } catch {
    return null;
  }
}

/* What one sample had in a row: its digits by measure; a measure of the whole grid has none. */
function valuesOf(file, row, sample) {
  const found = [];
  for (const [name, rows] of file.metrics) {
    const digits = String(rows?.[row] ?? "").split(" ");
    if (digits.length > 1 && digits[sample] !== undefined) found.push([name, digits[sample]]);
  }
  return found;
}

class SampleValues {
  constructor() {
    this.files = new Map(); // full ones by their number, which change no more
    this.newest = null;
    this.text = null; // of the record that the newest one was loaded for
  }

  /* [name, digits] of what a sample of an entry had. */
  async of(entry, sample, recordText) {
    if (!entry?.metrics) return [];
    if (this.text !== recordText) {
      this.newest = await this.load("metrics", VALUES);
      this.text = recordText;
    }
    for (let number = this.newest?.full ?? 0, file = this.newest; file; file = await this.full(--number)) {
      const row = file.rows.get(entryKey(entry));
      if (row !== undefined) return valuesOf(file, row, sample);
    }
    return [];
  }

  async full(number) {
    if (number < 0) return null;
    if (!this.files.has(number)) {
      const name = `${VALUES}-${String(number).padStart(4, "0")}`;
      const file = await this.load(`metrics-${number}`, name);
      if (file === null) return null;
      this.files.set(number, file);
    }
    return this.files.get(number);
  }

  async load(segment, name) {
    inbox.delete(segment);
    await loadScript(`${name}.js`);
    const text = inbox.get(segment);
    inbox.delete(segment);
    return text === undefined ? null : parseValues(text);
  }
}
