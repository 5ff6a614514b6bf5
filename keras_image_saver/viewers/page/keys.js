/* Buttons, sliders and keys, and how each changes the state.

   To add a key: give it the name of an action in KEYS, and a line in page.html's list of keys. A
   new action is a line in ACTIONS and a button of that id in page.html, since a phone has no keys. */

/* By the button's id. Going somewhere ends playing. */
const ACTIONS = {
  ...STEPS,
  newest: (state) => state.stop().go(state.last),
  compare: (state) => state.toggleCompare(),
};

/* What a choice of the stage's tools does too. */
const CHOICES = {
  mode: (state) => state.compareByNextMode(),
};

/* By the slider's id. */
const SLIDERS = {
  position: (state, value) => state.stop().go(value),
  pin: (state, value) => state.pinTo(value),
};

const KEYS = {
  ArrowLeft: "before",
  ArrowRight: "after",
  Home: "first",
  End: "last",
  " ": "play",
  c: "compare",
  m: "mode",
  Escape: "all-samples",
};

/* Where all samples are shown these scroll the page, as anywhere. */
const SAMPLE_KEYS = { ArrowUp: "sample-before", ArrowDown: "sample-after" };

/* The action that a key asks for, or none. */
function actionOf(event, state) {
  const keys = state.sample === null ? KEYS : { ...KEYS, ...SAMPLE_KEYS };
  if (!isForPage(event, keys) || !state.entry) return undefined;
  return ACTIONS[keys[event.key]] ?? CHOICES[keys[event.key]];
}

function listen(page) {
  for (const [id, action] of Object.entries(ACTIONS)) {
    by(id).addEventListener("click", () => page.change(action));
  }
  for (const [id, move] of Object.entries(SLIDERS)) {
    by(id).addEventListener("input", ({ target }) => {
      page.change((state) => move(state, Number(target.value)));
    });
  }
  document.addEventListener("keydown", (event) => {
    const action = actionOf(event, page.state);
    if (!action) return;
    event.preventDefault(); // arrows and the space bar would scroll the page too
    page.change(action);
  });
}
