/* In what runs differ, by what their records say of them. Neither document nor timer is used here. */

/* What is of one run alone, and told elsewhere. */
const OF_ONE_RUN = ["format", "id", "state", "started", "resumed", "templates", "passed_over", "class_names"];
const DEEPEST = 6;
const MOST_ROWS = 500;

/* Put what is in a value into a map from its path to its text: objects are gone into, lists are not. */
function flattened(value, path, found, depth = 0) {
  if (!isObject(value) || depth === DEEPEST) {
    if (found.size < MOST_ROWS) found.set(path, settingText(value));
    return found;
  }
  for (const [name, inner] of Object.entries(value)) {
    flattened(inner, path ? `${path}.${name}` : name, found, depth + 1);
  }
  return found;
}

function settingText(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.length > 0) {
    if (value.every(Number.isFinite)) return `(${value.join(", ")})`;
    if (value.every((one) => typeof one === "string")) return value.join(", ");
  }
  return JSON.stringify(value);
}

/* What a run's newest entry says that its settings do not: sizes, and which weights draw. */
function drawnFacts(entry) {
  const tiles = tilesOf(entry);
  const facts = {};
  if (tiles) {
    facts["size of a tile"] = `${tiles.width} × ${tiles.height}`;
    facts.panels = tiles.panels.join(", ");
    facts["samples drawn"] = String(tiles.count);
  }
  if (entry?.weights) facts["weights drawn"] = String(entry.weights);
  if (entry?.batch) facts["batches an epoch"] = String(entry.batch);
  return facts;
}

/* All that is told of a run, by name. */
function factsOf(run) {
  const about = { ...run.about };
  for (const name of OF_ONE_RUN) delete about[name];
  const { settings, samples, versions, ...others } = about;
  const found = flattened(drawnFacts(run.history.findLast((entry) => entry.file)), "", new Map());
  flattened(Object(settings), "", found);
  flattened(Object(Object(samples).arrays), "samples", found);
  for (const [name, version] of Object.entries(Object(versions))) flattened(version, `version of ${name}`, found);
  return flattened(others, "", found);
}

/* Rows of a name and a text a run (null where it does not say), and how many are alike. */
function differencesOf(runs) {
  const facts = runs.map(factsOf);
  const names = new Set(facts.flatMap((found) => [...found.keys()]));
  const rows = [];
  for (const name of names) {
    const texts = facts.map((found) => found.get(name) ?? null);
    if (new Set(texts).size > 1) rows.push({ name, texts });
  }
  return { rows, alike: names.size - rows.length };
}

/* Whether runs were shown the same samples: what to say, and whether it is a warning. */
function samplesText(runs) {
  const unknown = runs.filter((run) => !run.digest);
  if (unknown.length > 0) {
    const names = unknown.map((run) => run.name).join(", ");
    return { isWarning: true, text: `Nothing tells whether the runs were shown the same samples: not recorded in ${names}.` };
  }
  if (new Set(runs.map((run) => run.digest)).size > 1) {
    return { isWarning: true, text: "The runs were shown different samples: sample 3 of one is not sample 3 of another." };
  }
  const { count } = runs[0];
  const samples = count === 1 ? "sample" : "samples";
  return { isWarning: false, text: Number.isInteger(count) ? `same ${count} ${samples}` : `same ${samples}` };
}
