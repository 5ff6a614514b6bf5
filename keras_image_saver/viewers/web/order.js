/* Samples in the order of what a measure says of them, the worst first. Neither document nor timer is used
   here, so that Node alone can test it. */

/* Whether the larger is the worse by a measure, which the record tells by listing the worst; null where it
   does not, as where all are equal. */
function isLargerWorse(found) {
  const listed = Array.isArray(found?.worst) ? found.worst : [];
  const value = listed.map((one) => one?.[1]).find(Number.isFinite);
  const mean = found?.mean;
  if (value === undefined || !Number.isFinite(mean) || value === mean) return null;
  return value > mean;
}

/* The measures by which an entry's samples can be sorted. */
function sortingMeasures(entry) {
  const measures = Object.entries(entry?.metrics ?? {});
  return measures.filter(([, found]) => isLargerWorse(found) !== null).map(([name]) => name);
}

/* Samples by how bad they are, NaN first; of equal ones the lower number. */
function byBadness(badness) {
  const rank = (value) => (Number.isNaN(value) ? Infinity : value);
  return Array.from(badness, (_, sample) => sample).sort((a, b) => {
    const [one, other] = [rank(badness[a]), rank(badness[b])];
    return one === other ? a - b : other > one ? 1 : -1;
  });
}

function worstFirst(values, largerIsWorse) {
  return byBadness(values.map((value) => (largerIsWorse ? value : -value)));
}

/* By how much each got worse since its best; `earlier` are the values of the snapshots before. A sample
   without an earlier number did not. */
function worseFirst(values, earlier, largerIsWorse) {
  const sign = largerIsWorse ? 1 : -1;
  const best = Float32Array.from(values, () => Infinity);
  for (const row of earlier) {
    for (let sample = 0; sample < best.length; sample++) {
      const value = sign * row[sample];
      if (value < best[sample]) best[sample] = value;
    }
  }
  return byBadness(values.map((value, sample) => {
    if (Number.isNaN(value)) return NaN;
    return best[sample] === Infinity ? 0 : sign * value - best[sample];
  }));
}

/* What is said of an order. */
const ORDER_KINDS = { worst: "worst first", worse: "got worse since its best" };

/* The samples in the order to show: an order may be of a snapshot that had fewer, or more. */
function samplesOf({ sample, order }, count) {
  if (sample !== null) return [sample];
  const all = Array.from({ length: count }, (_, number) => number);
  if (order === null) return all;
  const ordered = order.filter((number) => number < count);
  const rest = new Set(ordered);
  return [...ordered, ...all.filter((number) => !rest.has(number))];
}

/* The sample so many before or after another one, as they are shown; undefined beyond an end. */
function sampleBeside(sample, step, order, count) {
  const all = samplesOf({ sample: null, order }, count);
  const place = all.indexOf(sample);
  return place < 0 ? undefined : all[place + step];
}
