/* The runs that are compared: what was embedded of each, and what its own folder tells later. */

class ComparedRun {
  constructor(name, url, twins) {
    this.twins = twins;
    this.told = new Map(); // by segment, what the full parts hold, and how often each was written
    this.latest = null; // what was said last of how much there is
    this.values = new RunValues(url, twins);
    this.found = { ...runOf("", url, name), page: null, history: [], entries: [], severalAnEpoch: false };
  }

  /* The run as a value, another one with each change. */
  get run() {
    return this.found;
  }

  embed({ about, values_left_out: leftOut, has_page: hasPage, ...record }, values) {
    this.values.embed(values, leftOut);
    if (hasPage) this.found = { ...this.found, page: `${this.found.url}index.html` };
    this.take(entriesOf(record), about);
    return this;
  }

  take(history, about) {
    this.found = {
      ...this.found,
      ...(about === null ? {} : runOf(about, this.found.url, this.found.name)),
      history,
      entries: history.filter((entry) => !isRemoved(entry)),
      severalAnEpoch: haveSeveralAnEpoch(history),
    };
  }

  /* Whether more of the run may come. */
  get isGoingOn() {
    return (this.latest?.state ?? this.found.state) === "running";
  }

  /* Look into the run's folder for what is new; tell whether anything is. */
  async poll() {
    const latest = parseLatest(await this.part("latest", "latest"));
    if (latest === null) return false;
    const { key, writes, run } = this.latest ?? {};
    const isOther = latest.key !== key; // another run, this one resumed, or the first look
    const hasRun = isOther || latest.run !== run;
    if (!hasRun && latest.writes === writes) return false;
    const [newest, about] = await Promise.all([
      this.part("newest", "snapshots"),
      hasRun ? this.part("run", "run") : null,
    ]);
    const entries = await this.entriesWith(parsePart(newest), isOther);
    if (entries === null) return false; // what was embedded is more
    this.latest = latest;
    this.values.forget(isOther);
    this.take(entries, about);
    return true;
  }

  /* The entries of all parts with the newest one; null where one is not to be had. */
  async entriesWith(newest, isOther) {
    if (newest === null) return null;
    if (isOther) this.told.clear();
    const { wanted, leftOut } = wantedSegments(newest.segments);
    const times = Object(newest.rewritten);
    const parts = [];
    for (let first = 0; first < wanted.length && leftOut === 0; first += FRAMES_AT_ONCE) {
      const some = wanted.slice(first, first + FRAMES_AT_ONCE);
      const found = await Promise.all(some.map((number) => this.segment(number, times[number] ?? 0)));
      if (found.includes(null)) return null; // the others are not asked for, however many are said to be
      parts.push(...found);
    }
    return leftOut > 0 ? null : mergedEntries([...parts, newest.entries]);
  }

  /* The entries of a full part, which changes only as the newest one says; null where it is not there. */
  async segment(number, times) {
    const known = this.told.get(number);
    if (known?.times === times) return known.entries;
    const part = parsePart(await this.part(number, `snapshots-${String(number).padStart(4, "0")}`));
    if (part === null) return null;
    this.told.set(number, { entries: part.entries, times });
    return part.entries;
  }

  part(segment, file) {
    return this.twins.load(`${this.found.url}${file}.html`, segment);
  }
}

/* What each sample had. What was embedded is parsed once a sample is looked at, the rest is asked for. */
class RunValues {
  constructor(url, twins) {
    this.url = url;
    this.twins = twins;
    this.files = new Map(); // parsed, by what tells them: a number, or "newest"
    this.embedded = null;
    this.first = 0; // the number of the first full file among those
  }

  embed(values, leftOut) {
    this.embedded = values;
    this.first = leftOut;
  }

  /* The newest file is written again and again; those of another run are all others. */
  forget(all) {
    if (all) this.files.clear();
    else this.files.delete("newest");
    this.embedded = null;
  }

  /* By measure the numbers of all samples of an entry; null where they cannot be read. */
  async of(entry) {
    if (!entry?.metrics) return new Map();
    const key = entryKey(entry);
    const newest = await this.file("newest");
    if (newest?.rows.has(key)) return numbersIn(newest, newest.rows.get(key));
    for (let number = (newest?.full ?? 0) - 1; number >= 0; number--) {
      const file = await this.file(number);
      if (file?.rows.has(key)) return numbersIn(file, file.rows.get(key));
    }
    return null;
  }

  async file(number) {
    if (!this.files.has(number)) {
      const text = this.embeddedText(number) ?? (await this.load(number));
      this.files.set(number, text === null ? null : parseValues(text));
    }
    return this.files.get(number);
  }

  embeddedText(number) {
    const texts = this.embedded?.() ?? [];
    return number === "newest" ? texts.at(-1) : texts.slice(0, -1)[number - this.first];
  }

  load(number) {
    if (number === "newest") return this.twins.load(`${this.url}snapshots-metrics.html`, "metrics");
    const file = `snapshots-metrics-${String(number).padStart(4, "0")}.html`;
    return this.twins.load(`${this.url}${file}`, `metrics-${number}`);
  }
}

/* A row of values: by measure the numbers of all samples. */
function numbersIn(file, row) {
  const found = new Map();
  for (const [name, rows] of file.metrics) {
    const digits = String(rows?.[row] ?? "");
    if (digits !== "") found.set(name, Float32Array.from(digits.split(" "), Number));
  }
  return found;
}
