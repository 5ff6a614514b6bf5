/* What the page shows, as a value: a change returns the next state and leaves the old one as it is.
   Neither document nor timer is used here, so that Node alone can test it. */

class PageState {
  entries = []; // the run's snapshots, in order, without those that were removed
  history = []; // with them
  severalAnEpoch = false;
  isNewer = false; // whether a newer version recorded the run
  lost = 0; // parts of the record that cannot be read
  run = runOf("", "./"); // what is said of it as a whole
  recordText = null; // tells whether the record changed
  index = 0; // the snapshot that is shown, on the right while two are compared
  pin = 0; // the one on the left
  mode = null; // how two are compared, as in a scene; null: one is shown
  sample = null; // the one that is shown alone; null: all of them
  view = HOME; // what is seen of the picture: {zoom, x, y}
  order = null; // of the samples: {by, kind, at, samples}, by a measure; null: their own
  picked = null; // the id of the class that is looked at
  look = PLAIN; // {brightness, contrast}
  valuesRead = null; // another object where values of samples were read
  byKeyboard = false; // whether that one was chosen by keyboard: its tile gets the focus back
  following = true; // whether a newer snapshot is shown as soon as it is there
  behind = false; // whether newer ones came while an older one was looked at
  playing = false;

  constructor(values = {}) {
    Object.freeze(Object.assign(this, values));
  }

  with(changes) {
    return new PageState({ ...this, ...changes });
  }

  get last() {
    return this.entries.length - 1;
  }

  get entry() {
    return this.entries[this.index];
  }

  get comparing() {
    return this.mode !== null;
  }

  /* Where in the history stands what is shown, from left to right. */
  get placesOnStage() {
    const shown = this.comparing ? [this.pinned, this.entry] : [this.entry];
    return shown.map((entry) => this.history.indexOf(entry));
  }

  get pinned() {
    return this.entries[this.pin];
  }

  get sampleCount() {
    return tilesOf(this.entry)?.count ?? 0;
  }

  nameOf(entry) {
    return snapshotName(entry, this.severalAnEpoch);
  }

  /* The record as it is now. What was shown still is, unless it is no longer in the run. */
  withRecord({ entries: history, isNewer, lost, run = this.run, text }) {
    const entries = history.filter((entry) => !isRemoved(entry));
    const place = placeShown(this.entry, entries, history);
    const following = this.following || place < 0;
    return this.with({
      entries,
      history,
      severalAnEpoch: haveSeveralAnEpoch(history),
      isNewer,
      lost,
      run,
      recordText: text,
      index: following ? entries.length - 1 : place,
      pin: Math.max(0, placeShown(this.pinned, entries, history)),
      following,
      behind: !following && (this.behind || history.length > this.history.length),
    });
  }

  go(wanted) {
    if (this.last < 0) return this;
    const index = Math.min(this.last, Math.max(0, wanted));
    const following = index === this.last;
    return this.with({ index, following, behind: this.behind && !following });
  }

  /* Go to a place in the history: where that was removed, to the next one that is shown. */
  goInHistory(wanted) {
    return this.go(placeShown(this.history[wanted], this.entries, this.history));
  }

  pinTo(pin) {
    return this.with({ pin });
  }

  /* Compare with another one: the newest with the first, an older one with the newest. */
  toggleCompare() {
    if (this.comparing) return this.with({ mode: null, view: HOME });
    const pin = this.following ? 0 : this.index;
    return this.go(this.last).with({ mode: "side", pin, view: HOME });
  }

  chooseSample(sample, byKeyboard = false) {
    if (this.sample !== null) return this.with({ sample });
    return this.with({ sample, byKeyboard, view: HOME });
  }

  stepSample(step) {
    const next = this.sample + step;
    const exists = this.sample !== null && next >= 0 && next < this.sampleCount;
    return exists ? this.chooseSample(next) : this;
  }

  showAllSamples() {
    return this.sample === null ? this : this.with({ sample: null, view: HOME });
  }

  play() {
    return this.with({ playing: true });
  }

  stop() {
    return this.playing ? this.with({ playing: false }) : this;
  }
}
