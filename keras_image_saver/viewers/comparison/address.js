/* The state in the page's address: `#compare=a,b&epoch=30&sample=5&mode=swipe&pair=0,2&zoom=2,0.4,0.6`.
   Neither document nor timer is used here. */

/* Half a character, as a folder or a measure may have in its name, has no place in an address. */
function wellFormed(text) {
  return String(text).replace(/[\ud800-\udfff]/gu, "\ufffd");
}

const encodedName = (text) => encodeURIComponent(wellFormed(text));

function runsInAddress(hash) {
  const text = addressParts(hash).get("compare");
  if (!text) return [];
  return text.split(",").map(decodedName).filter((name) => name !== "");
}

/* The hash of a state; `names` are of the runs that were chosen, none on a page of these runs alone. */
function addressOf(state, names = []) {
  const parts = [];
  if (names.length > 0) parts.push(["compare", names.map(encodedName).join(",")]);
  if (!state.following && state.position !== undefined) parts.push([state.axis, state.position]);
  else if (state.axis !== "epoch") parts.push([state.axis, "last"]);
  if (state.sample !== null) parts.push(["sample", state.sample]);
  if (state.mode !== "side") parts.push(["mode", state.mode]);
  if (state.pair.join() !== "0,1") parts.push(["pair", state.pair.join()]);
  const { zoom, x, y } = state.view;
  if (zoom !== 1) parts.push(["zoom", [zoom, x, y].map((value) => Number(value.toFixed(4))).join()]);
  if (state.order) parts.push([state.order.kind === "worst" ? "sort" : "worse", encodedName(state.order.by)]);
  if (state.picked !== null) parts.push(["class", encodedName(state.picked)]);
  const { brightness, contrast } = state.look;
  if (brightness !== 1 || contrast !== 1) parts.push(["look", `${brightness},${contrast}`]);
  return parts.length > 0 ? `#${parts.map((part) => part.join("=")).join("&")}` : "";
}

/* The state that an address tells, of runs as they are; what it cannot mean is left as it was. */
function stateAt(hash, before) {
  const parts = addressParts(hash);
  const picked = parts.has("class") ? decodedName(parts.get("class")) : null;
  let state = before.with({ sample: null, mode: "side", pair: [0, 1], order: null, picked, look: PLAIN });
  const axis = ALIGNED_BY.find((name) => parts.has(name));
  const position = Number(parts.get(axis));
  state = state.placed(axis ?? "epoch", parts.has(axis) && Number.isFinite(position) ? position : Infinity);
  const sample = wholeNumber(parts.get("sample"));
  if (sample !== null) state = state.chooseSample(sample);
  const pair = (parts.get("pair") ?? "").split(",").map(wholeNumber);
  const isPair = pair.length === 2 && pair[0] !== pair[1] && pair.every((one) => one in state.runs);
  if (isPair) state = state.with({ pair });
  const kind = parts.has("sort") ? "sort" : "worse";
  if (parts.has(kind)) state = state.sortBy(decodedName(parts.get(kind)), kind === "sort" ? "worst" : "worse");
  const look = (parts.get("look") ?? "").split(",").map(Number);
  const isLook = look.length === 2 && look.every((level) => level >= 0.2 && level <= 4);
  if (isLook) state = state.with({ look: { brightness: look[0], contrast: look[1] } });
  state = state.lookBy(parts.get("mode") ?? "side");
  const [zoom, x, y] = (parts.get("zoom") ?? "").split(",").map(Number);
  const isView = [zoom, x, y].every(Number.isFinite) && zoom > 0 && x >= 0 && x <= 1 && y >= 0 && y <= 1;
  return state.with({ view: isView ? { zoom: Math.min(zoom, 64), x, y } : HOME });
}

/* Whether an address is of a certain place in the runs. */
function asksForPlace(hash) {
  return ALIGNED_BY.some((axis) => addressParts(hash).has(axis));
}

function addressParts(hash) {
  const parts = String(hash).replace(/^#/, "").split("&").map((part) => part.split("="));
  return new Map(parts.filter((part) => part.length === 2));
}

function decodedName(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // half of a character
  }
}

function wholeNumber(text) {
  return /^\d{1,6}$/.test(text ?? "") ? Number(text) : null;
}
