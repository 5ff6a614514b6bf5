/* How a run stands, in words. Neither document nor timer is used here. */

/* {word, text} of a run that is compared. */
function runState(run, now) {
  return stateWords(stateOf(run, run.history, now), newestTime(run.history), now);
}

/* {word, text} of a run on a card, of whose entries the newest is told, and how long one takes. */
function cardState({ about, entry, interval }, now) {
  const time = entry?.time ?? 0;
  const history = interval === null ? [{ time }] : [{ time: time - interval }, { time }];
  return stateWords(stateOf({ state: about.state, about }, history, now), time, now);
}

function stateWords(word, newest, now) {
  const age = isTime(newest) ? ageText(now - newest) : "";
  if (age === "") return { word, text: word };
  if (word === "finished" || word === "failed") return { word, text: `${word} ${age}` };
  return { word, text: `${word ? `${word}, ` : ""}last snapshot ${age}` };
}
