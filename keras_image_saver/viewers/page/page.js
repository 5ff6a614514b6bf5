/* Joins the parts: what arrives in the record, what is pressed and what is played changes the
   state, and the view draws it. */

const POLL_MS = 700;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Page {
  #state = new PageState();

  constructor() {
    this.record = new RunRecord();
    this.view = new View(
      (index) => this.change((state) => state.go(index)),
      (sample, byKeyboard) => this.change((state) => state.chooseSample(sample, byKeyboard)),
      (place) => this.change((state) => state.goInHistory(place)),
      (name, value) => this.change((state) => state.with({ [name]: value })),
    );
  }

  get state() {
    return this.#state;
  }

  start() {
    listen(this);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.change((state) => state.stop());
      else this.poll();
    });
    new ResizeObserver(() => this.view.drawMarks(this.state.entries)).observe(by("marks"));
    this.pollForever();
  }

  /* The one place that sets the state: `transition` gets the present one and returns the next. */
  change(transition) {
    const before = this.state;
    this.#state = transition(before);
    if (this.state === before) return;
    this.view.draw(this.state, before);
    if (this.state.playing && !before.playing) this.play();
  }

  async poll() {
    if (await this.record.poll()) this.change((state) => state.withRecord(this.record));
    else if (!this.record.found) this.view.drawNoRecord();
  }

  async pollForever() {
    for (;;) {
      if (!document.hidden) await this.poll().catch(console.error); // a bad record must not end it
      await sleep(POLL_MS);
    }
  }

  /* Go from snapshot to snapshot, until the newest one or until the state says to stop. */
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
    const ms = 1000 / Number(by("speed").value);
    return sleep(Math.max(0, ms - (performance.now() - started)));
  }
}

const page = new Page();
page.start();
