/* The record of the run. A page from disk may load scripts and nothing else, so the record's files
   stand beside it as scripts, each of which calls `kerasImageSaver` with its part, as text. */

const FORMAT = 1;
const FOLDER = location.pathname.replace(/[^/]*$/, "");
const inbox = new Map();

window.kerasImageSaver = (segment, text) => inbox.set(segment, text);

function loadScript(name) {
  return new Promise((resolve) => {
    const script = document.createElement("script");
    const end = (arrived) => {
      script.remove();
      resolve(arrived);
    };
    script.onload = () => end(true);
    script.onerror = () => end(false);
    script.src = `${name}?t=${Date.now()}`; // a server's copy may be kept by the browser
    document.head.append(script);
  });
}

function parse(text) {
  try {
    const data = JSON.parse(text);
    data.entries = data.entries.filter((entry) => entry !== null && typeof entry === "object");
    return data;
  } catch {
    return null;
  }
}

class RunRecord {
  constructor() {
    this.entries = []; // each key once, in the order of steps
    this.segments = new Map(); // full ones, which change only as the newest one says
    this.lost = 0; // segments that cannot be read
    this.found = false;
    this.isNewer = false;
    this.latest = null;
    this.text = null;
    this.run = runOf("", "./", folderName(FOLDER));
  }

  /* Ask the one small script, and load what it says is new; tell whether anything is. */
  async poll() {
    const latest = parseLatest(await this.load("latest", "latest"));
    if (latest === null && this.found) return false; // it may be there the next time
    const { key, writes, run } = this.latest ?? {};
    const isAnother = latest?.key !== key || !this.found; // another run, or this one resumed
    const hasRun = isAnother || latest.run !== run;
    if (!hasRun && latest.writes === writes) return false;
    const [newest, about] = await Promise.all([
      this.load("newest", "snapshots"),
      hasRun ? this.load("run", "run") : null,
    ]);
    const data = parse(newest);
    if (data === null) return false;
    if (hasRun) this.run = runOf(about, "./", folderName(FOLDER));
    if (isAnother) this.segments.clear();
    await this.loadSegments(data.segments, Object(data.rewritten));
    this.latest = latest;
    this.text = newest;
    this.found = true;
    this.merge(data);
    return true;
  }

  async load(segment, name) {
    inbox.delete(segment);
    await loadScript(`${name}.js`);
    const text = inbox.get(segment);
    inbox.delete(segment);
    return text;
  }

  async loadSegments(segments, rewritten) {
    const { wanted, leftOut } = wantedSegments(segments);
    const times = (number) => rewritten[number] ?? 0;
    const missing = wanted.filter((number) => this.segments.get(number)?.times !== times(number));
    await Promise.all(missing.map((number) => this.loadSegment(number, times(number))));
    this.lost = leftOut + missing.filter((number) => !this.segments.has(number)).length;
  }

  async loadSegment(number, times) {
    const data = parse(await this.load(number, `snapshots-${String(number).padStart(4, "0")}`));
    if (data !== null) this.segments.set(number, { ...data, times });
  }

  merge(newest) {
    const parts = [...this.segments.keys()].sort((a, b) => a - b);
    const found = new Map();
    this.isNewer = newest.format > FORMAT;
    for (const part of [...parts.map((number) => this.segments.get(number)), newest]) {
      for (const entry of part.entries) {
        if (entry.format > FORMAT) this.isNewer = true;
        found.delete(entryKey(entry)); // the last one wins, in its own place
        found.set(entryKey(entry), entry);
      }
    }
    this.entries = [...found.values()].sort((a, b) => (a.step || 0) - (b.step || 0));
  }
}
