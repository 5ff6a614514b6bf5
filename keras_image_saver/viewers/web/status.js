/* How a run stands, and when to ask again. Neither document nor timer is used here, so that Node alone
   can test it. Times are in seconds, as the record has them, unless their names say otherwise. */

/* So many median intervals between snapshots, in which nothing came, and a run counts as stopped: nobody
   says so of a process that was killed. `Run.state` does the same. */
const SILENT_FOR = 5;

const ASK_MS = 2000; // as long as snapshots come
const RARELY_ASK_MS = 30_000;

function medianOf(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const isTime = (value) => Number.isFinite(value) && value > 0;

/* When the newest entry was written, 0 where none tells. */
function newestTime(history) {
  return history.reduce((latest, { time }) => (isTime(time) ? Math.max(latest, time) : latest), 0);
}

/* "running", "finished", "failed", "stopped", or "" where nothing tells; `history` are all entries. */
function stateOf(run, history, now) {
  if (run.state === "deleting") return "failed"; // killed meanwhile, it is for the next start
  if (run.state !== "running") return ["finished", "failed"].includes(run.state) ? run.state : "";
  const times = history.map((entry) => entry.time).filter(isTime).sort((a, b) => a - b);
  const gaps = times.slice(1).map((time, index) => time - times[index]);
  const { resumed } = run.about;
  const newest = Math.max(times.at(-1) ?? 0, isTime(resumed) ? resumed : 0);
  return gaps.length > 0 && now - newest > SILENT_FOR * medianOf(gaps) ? "stopped" : "running";
}

/* What is said of a state; "" where nothing is known. */
function stateText(state, history, now) {
  if (state !== "stopped") return state;
  return `stopped, last snapshot ${ageText(now - newestTime(history))}`;
}

function ageText(seconds) {
  for (const [unit, length] of [["day", 86_400], ["hour", 3600], ["minute", 60]]) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? "" : "s"} ago`;
  }
  return "less than a minute ago";
}

/* After how long to ask what is new, by how long nothing was; null: not until somebody looks again. One
   that counts as stopped may only be slow. */
function askAgainMs(state, quietMs) {
  if (state !== "running" && state !== "stopped") return null;
  return Math.min(RARELY_ASK_MS, Math.max(ASK_MS, quietMs / 10));
}

/* What the part says that is written after all others: the key of the page's writer, how often it
   wrote the record and `run.json`, and how the run stands; null for nonsense. */
function parseLatest(text) {
  try {
    const { key, writes, run, state } = JSON.parse(text);
    return { key: String(key), writes: Number(writes), run: Number(run), state: String(state) };
  } catch {
    return null;
  }
}
