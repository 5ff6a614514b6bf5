/* Joins the parts: what arrives in the record, what is pressed and what is played changes the
   state, and the view draws it. */

const LOOKED_AT = ["visibilitychange", "focus", "pageshow"]; // when somebody may look at it again

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Page {
  #state = new PageState().goTo(placeIn(location.hash));

  constructor() {
    this.visit = new Visit((place) => this.change((state) => state.goTo(place)));
    this.record = new RunRecord();
    this.newsAt = performance.now();
    this.wake = () => {};
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
    });
    for (const name of LOOKED_AT) window.addEventListener(name, () => this.wake());
    new ResizeObserver(() => this.view.drawMarks(this.state.entries)).observe(by("marks"));
    this.follow();
  }

  /* The one place that sets the state: `transition` gets the present one and returns the next. */
  change(transition) {
    const before = this.state;
    this.#state = transition(before);
    if (this.state === before) return;
    this.view.draw(this.state, before);
    this.visit.show(this.state, before);
    if (this.state.playing && !before.playing) this.play();
  }

  /* Look for what is new. */
  async poll() {
    const hasNews = await this.record.poll();
    if (hasNews) this.newsAt = performance.now();
    this.change((state) => (hasNews ? state.withRecord(this.record) : state).at(Date.now() / 1000));
    if (!this.record.found) this.view.drawNoRecord();
  }

  /* Ask again and again while the run goes on, and whenever the page is looked at again. */
  async follow() {
    for (;;) {
      if (!document.hidden) await this.poll().catch(console.error); // a bad record must not end it
      const ms = document.hidden ? null : this.askAgainMs();
      const woken = new Promise((resolve) => (this.wake = resolve));
      await (ms === null ? woken : Promise.race([woken, sleep(ms)]));
    }
  }

  askAgainMs() {
    const stands = this.record.found ? this.state.stands : "running"; // its record may be to come
    return askAgainMs(stands, performance.now() - this.newsAt);
  }

  /* Go from snapshot to snapshot, until the newest one or until the state says to stop. */
  async play() {
    const turn = (this.turn = {}); // who pauses and plays again at once has two of them under way
    const goesOn = () => this.turn === turn && this.state.playing;
    if (this.state.index === this.state.last) {
      this.change((state) => state.go(0));
      await this.pause(performance.now());
    }
    while (goesOn() && this.state.index < this.state.last) {
      const started = performance.now();
      this.change((state) => state.go(state.index + 1));
      await this.view.stage.running; // a picture that loads slowly is waited for, not skipped
      await this.pause(started);
    }
    if (goesOn()) this.change((state) => state.stop());
  }

  pause(started) {
    const ms = 1000 / Number(by("speed").value);
    return sleep(Math.max(0, ms - (performance.now() - started)));
  }
}

const page = new Page();
page.start();
