/* What the runs' samples have by each measure, side by side, and which run is the best. Neither document
   nor timer is used here. */

/* Of one sample, by measure; a measure of the whole grid says nothing of it. */
function sampleNumbers(values, sample) {
  const found = new Map();
  for (const [name, numbers] of values ?? []) {
    if (numbers.length > 1 && sample < numbers.length) found.set(name, numbers[sample]);
  }
  return found;
}

/* The means over the samples, as an entry has them. */
function meanNumbers(entry) {
  const found = new Map();
  for (const [name, summary] of Object.entries(entry?.metrics ?? {})) {
    if (isNumeric(summary?.mean)) found.set(name, Number(summary.mean));
  }
  return found;
}

/* A row a measure: its numbers by run, undefined where it has none, and which of them are the best. What
   is the best is told by `directionFor`: "least", "most", or null for a measure that does not tell. */
function measureRows(columns, directionFor) {
  const names = new Set(columns.flatMap((column) => [...column.keys()]));
  return [...names].map((name) => {
    const numbers = columns.map((column) => column.get(name));
    const known = numbers.filter((value) => value !== undefined && !Number.isNaN(value));
    const direction = directionFor(name);
    const best = direction === "least" ? Math.min(...known) : Math.max(...known);
    const isTold = direction !== null && new Set(known).size > 1;
    return { name, numbers, best: numbers.map((value) => isTold && value === best) };
  });
}
