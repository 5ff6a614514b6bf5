/* Buttons, sliders and keys of the comparison, and how each changes its state. */

const ACTIONS = STEPS;

const CHOICES = {
  position: (state, value) => state.stop().go(Number(value)),
  axis: (state, value) => state.stop().by(value),
  "pair-0": (state, value) => state.pairWith(0, Number(value)),
  "pair-1": (state, value) => state.pairWith(1, Number(value)),
};

const KEYS = {
  ArrowLeft: ACTIONS.before,
  ArrowRight: ACTIONS.after,
  Home: ACTIONS.first,
  End: ACTIONS.last,
  " ": ACTIONS.play,
  m: (state) => state.lookBy(modeAfter(state.mode)),
  Escape: ACTIONS["all-samples"],
};

/* Where all samples are shown these scroll the page, as anywhere. */
const SAMPLE_KEYS = { ArrowUp: ACTIONS["sample-before"], ArrowDown: ACTIONS["sample-after"] };

function actionOf(event, state) {
  const keys = state.sample === null ? KEYS : { ...KEYS, ...SAMPLE_KEYS };
  if (!isForPage(event, keys) || state.last < 0) return undefined;
  return keys[event.key];
}

function listenToControls(comparison) {
  for (const [id, action] of Object.entries(ACTIONS)) {
    by(id).addEventListener("click", () => comparison.change(action));
  }
  for (const [id, choose] of Object.entries(CHOICES)) {
    by(id).addEventListener("input", ({ target }) => comparison.change((state) => choose(state, target.value)));
  }
  document.addEventListener("keydown", (event) => {
    const action = comparison.isShown && !event.defaultPrevented ? actionOf(event, comparison.state) : undefined;
    if (!action) return;
    event.preventDefault(); // arrows and the space bar would scroll the page too
    comparison.change(action);
  });
}
