/* How a run stands, in words. Neither document nor timer is used here. */

const AGO = [["days", 86_400], ["hours", 3600], ["min", 60], ["s", 1]];
const SILENT_FOR = 5; // median intervals between snapshots, after which a run counts as stopped

/* How long ago that was, in the largest unit of which there are two. */
function agoText(seconds) {
  const [unit, length] = AGO.find(([, one]) => seconds >= 2 * one) ?? ["s", 1];
  return `${Math.max(0, Math.floor(seconds / length))} ${unit} ago`;
}

function medianGap(times) {
  const gaps = times.slice(1).map((time, index) => time - times[index]).sort((a, b) => a - b);
  const middle = gaps.length >> 1;
  if (gaps.length === 0) return null;
  return gaps.length % 2 ? gaps[middle] : (gaps[middle - 1] + gaps[middle]) / 2;
}

/* {word, text}; `newest` is when something last came of it and `gap` how long that takes, in seconds. */
function stateWords({ state, newest, gap }, now) {
  const ago = newest > 0 ? agoText(now - newest) : "";
  const isSilent = gap !== null && now - newest > SILENT_FOR * gap;
  if (state === "running" && isSilent) return { word: "stopped", text: `stopped, last snapshot ${ago}` };
  if (state === "running") return { word: "running", text: ago ? `running, last snapshot ${ago}` : "running" };
  const word = state === "finished" ? "finished" : state === "failed" || state === "deleting" ? "failed" : "";
  if (word === "") return { word, text: ago ? `last snapshot ${ago}` : "" };
  return { word, text: ago ? `${word} ${ago}` : word };
}

function runState({ about, history }, now) {
  const times = history.map((entry) => entry.time).filter((time) => time > 0).sort((a, b) => a - b);
  const begun = [about.started, about.resumed].filter(Number.isFinite);
  return stateWords({ state: about.state, newest: Math.max(0, ...times.slice(-1), ...begun), gap: medianGap(times) }, now);
}

function cardState({ about, time, interval }, now) {
  return stateWords({ state: about.state, newest: time, gap: interval }, now);
}
