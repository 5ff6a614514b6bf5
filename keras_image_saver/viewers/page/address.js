/* What the page shows, as the hash of its address and back: `#epoch=30&sample=5&compare=10&zoom=2,0.4,0.6`.
   A hash may be typed by hand or come from anywhere, so what is no such word says nothing.
   Neither document nor timer is used here, so that Node alone can test it. */

const LONGEST_HASH = 2000;

/* The words of a hash by their names; of two the first one counts. */
function wordsIn(hash) {
  const words = new Map();
  for (const part of hash.slice(1, LONGEST_HASH).split("&")) {
    const [name, value = ""] = part.split("=", 2);
    try {
      if (!words.has(name)) words.set(name, decodeURIComponent(value));
    } catch {
      // Half a character is none.
    }
  }
  return words;
}

function wholeIn(text) {
  return /^\d{1,9}$/.test(text ?? "") ? Number(text) : null;
}

/* So many numbers from `least` to `most`, with commas between them, or null. */
function numbersIn(text, count, least, most) {
  const parts = (text ?? "").split(",");
  const numbers = parts.filter((part) => /^\d{1,6}(\.\d{1,6})?$/.test(part)).map(Number);
  const fit = parts.length === count && numbers.length === count;
  return fit && numbers.every((number) => number >= least && number <= most) ? numbers : null;
}

/* Which snapshot is meant, by its epoch, its step, or both; null if none is. */
function snapshotIn(words, epochName, stepName) {
  const [epoch, step] = [wholeIn(words.get(epochName)), wholeIn(words.get(stepName))];
  return epoch === null && step === null ? null : { epoch, step };
}

function orderIn(words) {
  const kind = words.has("sort") ? "worst" : "worse";
  const by = words.get(kind === "worst" ? "sort" : "worse");
  return by ? { by, kind, at: wholeIn(words.get("at")), samples: null } : null;
}

/* What a hash asks for, all of it: what it does not say is as when the page is opened. */
function placeIn(hash) {
  const words = wordsIn(hash);
  const compare = snapshotIn(words, "compare", "compare-step");
  const mode = words.get("mode");
  const [zoom, x, y] = numbersIn(words.get("zoom"), 3, 0, 1000) ?? [];
  const [brightness, contrast] = numbersIn(words.get("look"), 2, 0, 10) ?? [];
  return {
    at: snapshotIn(words, "epoch", "step"),
    compare,
    mode: compare && (STAGE_MODES.includes(mode) ? mode : "side"),
    sample: wholeIn(words.get("sample")),
    view: zoom > 0 && x <= 1 && y <= 1 ? { zoom, x, y } : HOME,
    order: orderIn(words),
    picked: words.get("class") ?? null,
    look: brightness === undefined ? PLAIN : { brightness, contrast },
  };
}

/* The words for a snapshot; where epochs have several, its step is one of them. */
function snapshotWords(at, epochName, stepName) {
  return [
    ...(at.epoch === null ? [] : [[epochName, at.epoch]]),
    ...(at.step === null ? [] : [[stepName, at.step]]),
  ];
}

const short = (number) => String(Number(number.toFixed(4)));

/* The hash of a state; "" for the newest snapshot as the page opens with it. */
function hashOf(state) {
  const { at, compare, mode, sample, view, order, picked, look } = state.place;
  const isPlain = look.brightness === 1 && look.contrast === 1;
  const words = [
    ...(at ? snapshotWords(at, "epoch", "step") : []),
    ...(sample === null ? [] : [["sample", sample]]),
    ...(compare ? snapshotWords(compare, "compare", "compare-step") : []),
    ...(mode === null || mode === "side" ? [] : [["mode", mode]]),
    ...(isHome(view) ? [] : [["zoom", [view.zoom, view.x, view.y].map(short).join()]]),
    ...(order ? [[order.kind === "worst" ? "sort" : "worse", order.by]] : []),
    ...(order && order.at !== null ? [["at", order.at]] : []),
    ...(picked === null ? [] : [["class", picked]]),
    ...(isPlain ? [] : [["look", [look.brightness, look.contrast].map(short).join()]]),
  ];
  const encoded = words.map(([name, value]) => `${name}=${encodedWord(value)}`);
  return encoded.length ? `#${encoded.join("&")}` : "";
}

function encodedWord(value) {
  try {
    return encodeURIComponent(value).replaceAll("%2C", ",");
  } catch {
    return ""; // half a character, in the name of a measure
  }
}

/* What tells one view from another; between two of them the browser's "back" goes. */
function viewKey(state) {
  return `${state.sample !== null} ${state.mode !== null}`;
}
