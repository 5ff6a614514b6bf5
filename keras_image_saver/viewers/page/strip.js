/* One sample at every epoch, side by side. Only the cells in view exist, and only their pictures are
   loaded. */

const CELL_GAP = 8;
const CELL_NAME = 20; // room for the epoch under a cell
const PANEL_GAP = 2;
const MOST_AT_ONCE = 4;
const REST_MS = 80; // before pictures are loaded: what a slider passes needs none

class Strip {
  constructor(root, onPick) {
    this.root = root;
    this.room = root.firstElementChild;
    this.onPick = onPick;
    this.pictures = new Pictures(24);
    this.cells = new Map(); // by index
    this.queue = [];
    this.loading = 0;
    this.sample = null;
    this.entries = [];
    root.addEventListener("scroll", () => this.fill());
    new ResizeObserver(() => this.fill()).observe(root);
  }

  /* `fixed`: panels that are the same at every epoch, and are seen above; `severalAnEpoch`: whether epochs do
     not tell snapshots apart. */
  set(entries, sample, fixed, severalAnEpoch) {
    this.fixed = fixed;
    const resized = this.measure(entries, sample);
    const renewed = sample !== this.sample || resized;
    for (const [index, cell] of this.cells) {
      if (renewed || entries[index] !== cell.entry) this.drop(index);
    }
    this.entries = entries;
    this.sample = sample;
    this.severalAnEpoch = severalAnEpoch;
    this.room.style.width = `${entries.length * this.step}px`;
    this.room.style.height = `${this.height}px`;
    this.fill();
  }

  /* Every cell has the size of the newest snapshot's; tell whether that is another one now. */
  measure(entries, sample) {
    const tiles = tilesOf(entries.findLast((entry) => (tilesOf(entry)?.count ?? 0) > sample));
    const panels = tiles === null ? 1 : this.changing(tiles).length;
    const tall = Math.min(panels === 1 ? 96 : 60, Math.max(16, Math.floor((0.16 * window.innerHeight) / panels)));
    const wide = tiles ? Math.min(240, Math.max(28, (tall * tiles.width) / tiles.height)) : tall;
    const step = Math.round(wide) + CELL_GAP;
    const height = panels * (tall + PANEL_GAP) - PANEL_GAP + CELL_NAME;
    const resized = step !== this.step || height !== this.height;
    Object.assign(this, { wide: Math.round(wide), tall, step, height });
    return resized;
  }

  /* The numbers of the panels that are drawn: those that change, or all where none does. */
  changing({ panels }) {
    const numbers = panels.map((_, panel) => panel);
    const changing = numbers.filter((panel) => !this.fixed.includes(panels[panel]));
    return changing.length > 0 ? changing : numbers;
  }

  mark(index) {
    this.current = index;
    const left = index * this.step;
    const { scrollLeft, clientWidth } = this.root;
    if (left < scrollLeft || left + this.step > scrollLeft + clientWidth) {
      this.root.scrollLeft = left - (clientWidth - this.step) / 2;
    }
    this.fill();
    for (const [number, cell] of this.cells) this.markCell(cell, number);
  }

  markCell(cell, index) {
    if (index === this.current) cell.node.setAttribute("aria-current", "true");
    else cell.node.removeAttribute("aria-current");
  }

  fill() {
    if (this.root.hidden || this.sample === null) return;
    const { scrollLeft, clientWidth } = this.root;
    const first = Math.max(0, Math.floor(scrollLeft / this.step) - 1);
    const last = Math.min(
      this.entries.length - 1,
      Math.ceil((scrollLeft + clientWidth) / this.step) + 1,
    );
    for (const index of [...this.cells.keys()]) {
      if (index < first || index > last) this.drop(index);
    }
    for (let index = first; index <= last; index++) {
      if (!this.cells.has(index)) this.add(index);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.loadNext(), REST_MS);
  }

  clear() {
    for (const index of [...this.cells.keys()]) this.drop(index);
    this.sample = null;
  }

  drop(index) {
    this.cells.get(index).node.remove();
    this.cells.delete(index);
  }

  add(index) {
    const entry = this.entries[index];
    const number = this.severalAnEpoch ? entry.step : entry.epoch || entry.step;
    const textContent = number || (number === 0 ? "0" : "");
    const name = element("span", { className: "cell-name", textContent });
    const picture = element("span", { className: "cell-picture" });
    const node = element("button", { type: "button", className: "cell", tabIndex: -1 });
    picture.style.height = `${this.height - CELL_NAME}px`;
    node.append(picture, name);
    node.style.left = `${index * this.step}px`;
    node.style.width = `${this.wide}px`;
    node.title = snapshotName(entry, this.severalAnEpoch);
    describe(node, `Sample ${this.sample} at ${node.title}`);
    node.onclick = () => this.onPick(index);
    const cell = { node, entry, picture };
    this.cells.set(index, cell);
    this.markCell(cell, index);
    this.room.append(node);
    if (entry.file) this.queue.push(cell);
    else this.drawGap(cell, "missed");
  }

  loadNext() {
    this.queue = this.queue.filter((cell) => cell.node.isConnected);
    while (this.loading < MOST_AT_ONCE && this.queue.length > 0) {
      const cell = this.queue.shift();
      this.loading++;
      this.draw(cell).finally(() => {
        this.loading--;
        this.loadNext();
      });
    }
  }

  async draw(cell) {
    let image;
    try {
      image = await this.pictures.load(cell.entry);
    } catch {
      return this.drawGap(cell, "not shown");
    }
    const tiles = tilesOf(cell.entry);
    if (!cell.node.isConnected) return;
    if (tiles === null || this.sample >= tiles.count) return this.drawGap(cell, "none");
    const scale = Math.min(1, (this.tall * window.devicePixelRatio) / tiles.height);
    const canvases = this.changing(tiles).map((panel) => {
      const canvas = element("canvas");
      drawTile(canvas, image, tiles, this.sample, panel, scale);
      canvas.style.height = `${this.tall}px`;
      canvas.classList.toggle("enlarged", this.tall > tiles.height);
      return canvas;
    });
    cell.picture.replaceChildren(...canvases);
  }

  drawGap(cell, text) {
    cell.node.classList.add("is-gap");
    cell.picture.textContent = text;
    describe(cell.node, `${cell.node.title}: ${text}`);
  }
}
