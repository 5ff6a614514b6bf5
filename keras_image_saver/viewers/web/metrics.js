/* What series of entries tell by numbers, and which of them are the best. Neither document nor timer is
   used here, so that Node alone can test it. */

const VALIDATION = "val_";

/* A number of the record, NaN and the infinities among them; undefined for what is none. */
function numberOf(value) {
  return isNumeric(value) ? Number(value) : undefined;
}

/* By name: its values at each entry, NaN where there is none, and where there is one. */
function columnsOf(entries) {
  const columns = new Map();
  entries.forEach((entry, index) => {
    for (const [name, value] of numbersOf(entry)) {
      const number = numberOf(value);
      if (number === undefined) continue;
      let column = columns.get(name);
      if (!column) {
        column = { values: new Float64Array(entries.length).fill(NaN), has: new Uint8Array(entries.length) };
        columns.set(name, column);
      }
      column.values[index] = number;
      column.has[index] = 1;
    }
  });
  return columns;
}

/* What a chart each is drawn of: {names, lines}, a line {series, rank, name, values, has},
   its rank that of its name. One run has `name`
   and `val_name` in one chart; of several runs each has a line in a chart of one name. */
function groupsOf(tables) {
  const names = new Set(tables.flatMap((columns) => [...columns.keys()]));
  const isAlone = tables.length === 1;
  const groups = [];
  for (const name of names) {
    const validation = VALIDATION + name;
    if (name.startsWith(VALIDATION) && names.has(name.slice(VALIDATION.length))) continue;
    const both = names.has(validation) ? [name, validation] : [name];
    if (isAlone) groups.push(both);
    else groups.push(...both.map((one) => [one]));
  }
  return groups.map((names) => ({ names, lines: names.flatMap((name, rank) => linesOf(name, rank, tables)) }));
}

function linesOf(name, rank, tables) {
  return tables.flatMap((columns, series) =>
    columns.has(name) ? [{ series, rank, name, ...columns.get(name) }] : []);
}

/* What a measure found at an entry, by the name that it goes by in `numbersOf`. */
function measureOf(entry, name) {
  const logs = entry?.logs ?? {};
  const metrics = entry?.metrics ?? {};
  const isLog = (one) => Object.hasOwn(logs, one);
  if (Object.hasOwn(metrics, name) && !isLog(name)) return metrics[name];
  const own = name.replace(/ \(samples\)$/, "");
  return own !== name && Object.hasOwn(metrics, own) && isLog(own) ? metrics[own] : undefined;
}

/* A loss of an accuracy is a loss, so that these words come first. */
const LESS_IS_BETTER =
  /loss|error|divergence|entropy|distance|perplexity|^false_|(^|_)(mae|mse|rmse|mape|msle|err|fid|kid|lpips|nll|kl|poisson|hinge)(_|$)/;
const MORE_IS_BETTER =
  /acc|precision|recall|similarity|score|sensitivity|specificity|diversity|^true_|io_u|(^|_)(m?iou|auc|dice|psnr|ssim|f1|f2|fbeta|r2)(_|$)|(^|_)map$/;

function directionByName(name) {
  const plain = name.replace(/([a-z\d])([A-Z])/g, "$1_$2").toLowerCase().replace(/[^a-z\d]+/g, "_");
  const own = plain.startsWith(VALIDATION) ? plain.slice(VALIDATION.length) : plain;
  if (LESS_IS_BETTER.test(own)) return "least";
  return MORE_IS_BETTER.test(own) ? "most" : null;
}

/* Whether the least or the most of a name is the best: a measure's worst samples tell, else its name;
   null where nothing does. */
function directionOf(name, entries) {
  for (const entry of entries) {
    if (!entry.metrics) continue;
    const found = measureOf(entry, name);
    const worst = Array.isArray(found?.worst) ? found.worst : [];
    const value = worst.map((one) => one?.[1]).find(Number.isFinite);
    if (value > found?.mean) return "least";
    if (value < found?.mean) return "most";
  }
  return directionByName(name);
}

/* Where the least or the most of the finite values stands, the first of equal ones; -1 without any. */
function bestPlace(values, direction) {
  let best = -1;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (!Number.isFinite(value)) continue;
    if (best < 0 || (direction === "least" ? value < values[best] : value > values[best])) best = index;
  }
  return best;
}

/* The best of lines, each of another run or one alone: {line, index}, or null where all values are one. */
function bestOf(lines, direction) {
  const range = extent(lines.map((line) => line.values));
  if (range === null || range[0] === range[1]) return null;
  const wanted = range[direction === "least" ? 0 : 1];
  const line = lines.find(({ values }) => values.includes(wanted));
  return { line, index: line.values.indexOf(wanted) };
}

/* What was measured and is no finite number, over lines: {nan, infinite}. */
function oddCounts(lines) {
  const counts = { nan: 0, infinite: 0 };
  for (const { values, has } of lines) {
    has.forEach((isThere, index) => {
      if (!isThere || Number.isFinite(values[index])) return;
      counts[Number.isNaN(values[index]) ? "nan" : "infinite"] += 1;
    });
  }
  return counts;
}
