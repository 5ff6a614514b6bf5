/* What the states of pages with a stage have in common, as values: a change returns the next state and leaves
   the old one as it is. Neither document nor timer is used here, so that Node alone can test it. */

class StageState {
  index = 0; // which snapshot, or place in the runs, is shown
  sample = null; // the one that is shown alone; null: all of them
  byKeyboard = false; // whether that one was chosen by keyboard: its tile gets the focus back
  view = HOME; // what is seen of the pictures: {zoom, x, y}
  order = null; // of the samples, by a measure, as they stood when it was chosen; null: their own
  picked = null; // the id of the class that is looked at
  look = PLAIN; // {brightness, contrast}
  following = true; // whether what is newer is shown as soon as it is there
  playing = false;

  /* A class that extends this one freezes itself, once its own fields are there. */
  with(changes) {
    return new this.constructor({ ...this, ...changes });
  }

  chooseSample(sample, byKeyboard = false) {
    if (this.sample !== null) return this.with({ sample });
    return this.with({ sample, byKeyboard, view: HOME });
  }

  /* The sample before or after the one that is alone, in the order that is shown; undefined at an end. */
  sampleBeside(step) {
    return sampleBeside(this.sample, step, this.order?.samples ?? null, this.sampleCount);
  }

  stepSample(step) {
    const next = this.sampleBeside(step);
    return next === undefined ? this : this.chooseSample(next);
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
