/* What the page shows, as a value: a change returns the next state and leaves the old one as it is.
   Neither document nor timer is used here, so that Node alone can test it. */

class PageState extends StageState {
  entries = []; // the run's snapshots, in order, without those that were removed
  history = []; // with them
  severalAnEpoch = false;
  isNewer = false; // whether a newer version recorded the run
  lost = 0; // parts of the record that cannot be read
  run = runOf("", "./"); // what is said of it as a whole
  stands = ""; // how it stands now, as `stateOf` has it
  standsText = ""; // what is said of that
  recordText = null; // tells whether the record changed
  pin = 0; // the snapshot on the left while two are compared
  mode = null; // how two are compared, as in a scene; null: one is shown
  origin = null; // the entry that was shown before two were, as long as nothing else was gone to
  wanted = null; // what an address asks for that is still to come: {at, compare}
  said = ""; // what there is to say of it
  valuesRead = null; // another object where values of samples were read
  behind = false; // whether newer ones came while an older one was looked at

  constructor(values = {}) {
    super();
    Object.freeze(Object.assign(this, values));
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
    const next = this.with({
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
    return next.arrive();
  }

  /* How the run stands, at a time in seconds. */
  at(now) {
    const stands = stateOf(this.run, this.history, now);
    const standsText = stateText(stands, this.history, now);
    const same = stands === this.stands && standsText === this.standsText;
    return same ? this : this.with({ stands, standsText });
  }

  go(wanted) {
    if (this.last < 0) return this;
    const index = Math.min(this.last, Math.max(0, wanted));
    const following = index === this.last;
    const behind = this.behind && !following;
    const origin = index === this.index ? this.origin : null;
    return this.with({ index, following, behind, origin, wanted: null, said: "" });
  }

  /* What an address says of this state, as `placeIn` reads it. */
  get place() {
    const { mode, sample, view, order, picked, look } = this;
    const at = this.wanted?.at ?? (this.following ? null : this.addressOf(this.entry));
    const compare = this.comparing ? (this.wanted?.compare ?? this.addressOf(this.pinned)) : null;
    return { at, compare, mode, sample, view, order, picked, look };
  }

  addressOf(entry) {
    if (!entry) return null;
    const epoch = isStep(entry.epoch) ? entry.epoch : null;
    const needsStep = this.severalAnEpoch || epoch === null;
    return { epoch, step: needsStep && isStep(entry.step) ? entry.step : null };
  }

  /* Show what an address asks for, as soon as it is there. */
  goTo({ at, compare, ...shown }) {
    const following = at === null;
    const index = following ? Math.max(0, this.last) : this.index;
    const asked = { following, index, behind: false, origin: null, playing: false, said: "" };
    return this.with({ ...shown, ...asked, wanted: at || compare ? { at, compare } : null }).arrive();
  }

  /* Go where an address asked to, as far as that is in the record by now. */
  arrive() {
    if (this.wanted === null || this.last < 0) return this;
    const { at, compare } = this.wanted;
    const left = compare && placeAsked(compare, this.entries, this.history);
    const arrived = this.with({ pin: left ? Math.max(0, left.place) : this.pin, wanted: null });
    if (!at) return arrived;
    const { place, why } = placeAsked(at, this.entries, this.history);
    if (place < 0) {
      const said = `${askedName(at)} is not there: the newest snapshot is shown.`;
      return arrived.with({ index: this.last, following: true, wanted: { at, compare: null }, said });
    }
    const shown = this.nameOf(this.entries[place]);
    const said = why && `${askedName(at)} ${why}: ${shown} is shown.`;
    return arrived.with({ index: place, following: false, said });
  }

  /* Go to a place in the history: where that was removed, to the next one that is shown. */
  goInHistory(wanted) {
    return this.go(placeShown(this.history[wanted], this.entries, this.history));
  }

  pinTo(pin) {
    return this.with({ pin });
  }

  /* Compare with another one: the newest with the one before it was compared with last, an older one with
     the newest. Ended at once, it leaves one where one was. */
  toggleCompare() {
    if (this.comparing) {
      const place = placeShown(this.origin ?? undefined, this.entries, this.history);
      const back = place < 0 ? this : this.go(place);
      return back.with({ mode: null, view: HOME, origin: null });
    }
    if (this.last < 1) return this;
    const origin = this.following ? null : this.entry;
    const pin = this.following ? this.pin : this.index;
    return this.go(this.last).with({ mode: "side", pin, origin, view: HOME });
  }

  compareByNextMode() {
    return this.comparing ? this.with({ mode: modeAfter(this.mode) }) : this;
  }
}
