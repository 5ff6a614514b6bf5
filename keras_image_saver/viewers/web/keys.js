/* What buttons and keys do on each page with a stage, and which keys a page answers to. Neither document nor
   timer is used here. */

/* By the button's id. Going somewhere ends playing. */
const STEPS = {
  first: (state) => state.stop().go(0),
  before: (state) => state.stop().go(state.index - 1),
  play: (state) => (state.playing ? state.stop() : state.play()),
  after: (state) => state.stop().go(state.index + 1),
  last: (state) => state.stop().go(state.last),
  "all-samples": (state) => state.showAllSamples(),
  "sample-before": (state) => state.stepSample(-1),
  "sample-after": (state) => state.stepSample(1),
};

/* What a focused control does with keys of its own, by its tag. */
const OWN_KEYS = {
  INPUT: (key, { type }) => /^(Arrow|Home|End)/.test(key) || (key === " " && type === "checkbox"),
  SELECT: (key) => key !== "Escape",
  BUTTON: (key) => key === " ",
  SUMMARY: (key) => key === " ",
};

/* Whether a key is one of those that the page knows, and neither the browser's nor the control's. */
function isForPage({ key, target, ctrlKey, metaKey, altKey }, keys) {
  const isOurs = Object.hasOwn(keys, key) && !OWN_KEYS[target.tagName]?.(key, target);
  return isOurs && !ctrlKey && !metaKey && !altKey;
}
