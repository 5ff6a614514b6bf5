/* The comparison: what comes of the runs, what is pressed and what is played changes the state, the view
   draws it, and the address tells it. */

const ADDRESS_MS = 250; // a browser counts how often an address is replaced

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Comparison {
  #state = new ComparisonState();
  #addressTimer = 0;

  constructor() {
    this.compared = []; // where what is told of the runs comes from
    this.names = []; // of runs that were chosen from a list
    this.isShown = false;
    this.view = new ComparisonView({
      onSample: (sample, byKeyboard) => this.change((state) => state.chooseSample(sample, byKeyboard)),
      onChange: (changes) => this.change((state) => state.with(changes)),
      onMode: (mode) => this.change((state) => state.lookBy(mode)),
      onSort: (by, kind) => this.change((state) => state.sortBy(by, kind)),
      onPick: (series, index) => this.change((state) => state.stop().goToEntry(series, index)),
      comparedOf: (number) => this.compared[number],
    });
    listenToControls(this);
  }

  get state() {
    return this.#state;
  }

  /* Show runs, as the address has it; `names` are of those that were chosen from a list. */
  open(compared, names = []) {
    this.compared = compared;
    this.names = names;
    this.isShown = true;
    this.set(stateAt(location.hash, new ComparisonState({ runs: this.runs() })));
  }

  close() {
    this.isShown = false;
    this.change((state) => state.stop());
    this.compared = [];
  }

  runs() {
    return this.compared.map((one) => one.run);
  }

  /* The one place that sets the state: `transition` gets the present one and returns the next. */
  change(transition) {
    const before = this.state;
    const next = transition(before);
    if (next === before) return;
    this.set(next);
    this.tellAddress(before);
  }

  set(next) {
    const before = this.#state;
    this.#state = next;
    this.view.draw(next, before);
    if (next.playing && !before.playing) this.play();
  }

  /* A chosen sample and a way to compare can be gone back from; all else is where one was. */
  tellAddress(before) {
    const { state } = this;
    const isStep = ["sample", "mode", "pair"].some((name) => String(state[name]) !== String(before[name]));
    clearTimeout(this.#addressTimer);
    if (isStep) {
      history.replaceState(null, "", this.address(before));
      history.pushState(null, "", this.address(state));
    } else {
      this.#addressTimer = setTimeout(() => {
        if (this.isShown) history.replaceState(null, "", this.address(this.state));
      }, ADDRESS_MS);
    }
  }

  address(state) {
    return addressOf(state, this.names) || `${location.pathname}${location.search}`;
  }

  /* The address was changed by hand, or gone back in. */
  readAddress() {
    clearTimeout(this.#addressTimer);
    this.set(stateAt(location.hash, this.state).stop());
  }

  /* Look for what is new of the runs that are going on; tell whether anything is. */
  async poll() {
    const { compared } = this;
    const found = await Promise.all(compared.map((one) => one.isGoingOn && one.poll()));
    if (compared !== this.compared || !found.some(Boolean)) return false;
    this.renew();
    return true;
  }

  /* Show the runs as they are known now. */
  renew() {
    this.change((state) => state.withRuns(this.runs()));
  }

  /* Go from place to place, until the last one or until the state says to stop. */
  async play() {
    if (this.state.index === this.state.last) {
      this.change((state) => state.go(0));
      await this.pause(performance.now());
    }
    while (this.state.playing && this.state.index < this.state.last) {
      const started = performance.now();
      this.change((state) => state.go(state.index + 1));
      await this.view.stage.running; // a picture that loads slowly is waited for, not skipped
      await this.pause(started);
    }
    this.change((state) => state.stop());
  }

  pause(started) {
    return sleep(Math.max(0, 1000 / Number(by("speed").value) - (performance.now() - started)));
  }
}
