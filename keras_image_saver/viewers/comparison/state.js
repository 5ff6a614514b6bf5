/* What the comparison shows, as a value: a change returns the next state and leaves the old one as it
   is. Neither document nor timer is used here. */

class ComparisonState extends StageState {
  runs = []; // {name, about, entries, history, ...} each, as they are now
  axis = "epoch";
  columns = []; // by run, how far it was at each of its entries
  positions = []; // all places on the axis that any run has
  mode = "side";
  pair = [0, 1]; // the runs that are laid over one another, in the other modes

  constructor(values = {}) {
    super();
    Object.freeze(Object.assign(this, values));
  }

  get last() {
    return this.positions.length - 1;
  }

  get position() {
    return this.positions[this.index];
  }

  /* What each run shows now. */
  get shown() {
    return this.runs.map((run, number) => {
      const values = this.columns[number];
      const found = shownAt(run, values, this.position);
      return { ...found, value: values[found.index] };
    });
  }

  /* The runs whose pictures are on the stage, by number. */
  get onStage() {
    return this.mode === "side" ? this.runs.map((_, number) => number) : this.pair;
  }

  get sampleCount() {
    return Math.max(0, ...this.shown.map(({ entry }) => tilesOf(entry)?.count ?? 0));
  }

  /* The runs as their records are now. The place stays, unless the newest one was looked at. */
  withRuns(runs) {
    return this.with({ runs }).placed(this.axis, this.following ? Infinity : this.position);
  }

  placed(axis, position) {
    const columns = this.runs.map((run) => axisValues(run, run.entries, axis));
    const positions = positionsOf(columns);
    const index = Math.max(0, placeUpTo(positions, position));
    return this.with({ axis, columns, positions, index, following: index === positions.length - 1 });
  }

  go(wanted) {
    if (this.last < 0) return this;
    const index = Math.min(this.last, Math.max(0, wanted));
    return this.with({ index, following: index === this.last });
  }

  /* Go to where an entry of a run stands; to one that was removed, to what is shown instead. */
  goToEntry(number, historyIndex) {
    const run = this.runs[number];
    const [value] = axisValues(run, run.history.slice(0, historyIndex + 1), this.axis).slice(-1);
    return value === undefined ? this : this.go(Math.max(0, placeUpTo(this.positions, value)));
  }

  /* Count by another axis; what is shown there is what was shown of the run that is furthest. */
  by(axis) {
    if (axis === this.axis || !ALIGNED_BY.includes(axis)) return this;
    const { shown } = this;
    const there = shown.findIndex((one) => one.isThere);
    const number = Math.max(0, there);
    const values = this.runs.length ? axisValues(this.runs[number], this.runs[number].entries, axis) : [];
    return this.placed(axis, this.following ? Infinity : (values[shown[number]?.index] ?? 0));
  }

  lookBy(mode) {
    return STAGE_MODES.includes(mode) && this.runs.length > 1 ? this.with({ mode, view: HOME }) : this;
  }

  /* Lay another run on that side; where it is on the other one, they change places. */
  pairWith(side, number) {
    if (!(number in this.runs)) return this;
    const pair = [...this.pair];
    if (pair[1 - side] === number) pair[1 - side] = pair[side];
    pair[side] = number;
    return this.with({ pair });
  }

  sortBy(by, kind) {
    return this.with({ order: by === null ? null : { by, kind, samples: null, name: "" } });
  }
}
