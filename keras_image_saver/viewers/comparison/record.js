/* The runs that are compared: what was embedded of each, and what its own folder tells later. */

class ComparedRun {
  constructor(name, url, twins, hasPage) {
    this.twins = twins;
    this.told = new Map(); // by segment, what the full parts hold, and how often each was written
    this.latest = null; // what was said last of how much there is
    this.parts = new ValueParts(url, twins);
    this.renewValues();
    const page = hasPage ? `${url}index.html` : null;
    this.found = { ...runOf("", url, name), page, history: [], entries: [], severalAnEpoch: false };
  }

  /* Those of another run are all others. */
  renewValues() {
    this.values = new SampleValues((segment, name) => this.parts.load(segment, name));
  }

  /* What the samples of an entry had, by measure; null where it is not to be had. */
  valuesOf(entry) {
    return this.values.of(entry, this.found.history);
  }

  /* The run as a value, another one with each change. */
  get run() {
    return this.found;
  }

  embed({ about, values_left_out: leftOut, ...record }, values) {
    this.parts.embed(values, leftOut);
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

  /* Resolves as soon as the newest part is there; `whole` does when all are, of which older ones are asked
     for once `turn` resolves. */
  start(turn) {
    return new Promise((resolve) => {
      const wait = () => {
        resolve();
        return turn;
      };
      this.whole = this.poll(wait).finally(resolve);
    });
  }

  /* Look into the run's folder for what is new; tell whether anything is. */
  async poll(onNewest = () => {}) {
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
    const part = parsePart(newest);
    if (part !== null && this.found.history.length === 0) {
      this.take(mergedEntries([part.entries]), about);
      await onNewest();
    }
    const entries = await this.entriesWith(part, isOther);
    if (entries === null) return false; // what was embedded is more
    this.latest = latest;
    if (isOther) this.renewValues();
    this.parts.forget(); // the newest file is written again and again
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

/* What reads a run's values, of all samples: what was embedded of them, and the rest from its folder. */
class ValueParts {
  constructor(url, twins) {
    this.url = url;
    this.twins = twins;
    this.forget();
  }

  /* `texts` gives those of the newest files, the oldest first; `leftOut` older ones are not among them. */
  embed(texts, leftOut) {
    this.texts = texts;
    this.first = leftOut;
  }

  forget() {
    this.texts = () => [];
    this.first = 0;
  }

  async load(segment, name) {
    const texts = this.texts();
    const number = segment === "metrics" ? texts.length - 1 : Number(segment.slice("metrics-".length)) - this.first;
    const isThere = segment === "metrics" || number < texts.length - 1;
    const text = isThere ? texts[number] : undefined;
    return text ?? (await this.twins.load(`${this.url}${name}.html`, segment)) ?? undefined;
  }
}
