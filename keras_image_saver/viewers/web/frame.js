/* One picture on the stage: the whole grid, or one sample of it. */

const TILE_GAP = 12;

/* The scale that fits, in whole device pixels a pixel where that wastes little. */
function fittingScale(width, height, room) {
  const scale = Math.min(room.width / width, room.height / height);
  const devicePixels = scale * window.devicePixelRatio;
  const whole = Math.floor(devicePixels);
  return whole >= 1 && whole / devicePixels > 0.85 ? whole / window.devicePixelRatio : scale;
}

class Frame {
  constructor(onSample) {
    this.root = by("frame").content.firstElementChild.cloneNode(true);
    this.box = this.root.querySelector(".box");
    this.picture = this.root.querySelector(".picture");
    this.gap = this.root.querySelector(".gap");
    this.caption = this.root.querySelector("figcaption");
    this.pictures = new Pictures(8);
    this.onSample = onSample;
    this.wanted = null;
    this.running = null;
    this.fit = () => {};
    this.tilesKey = "";
    this.names = []; // of the samples
    new ResizeObserver(() => this.fit()).observe(this.box);
  }

  /* Show a snapshot as soon as it is decoded. While one is loading only the latest wish is kept, so
     that a slider never waits for what it has passed. */
  show(entry, sample) {
    this.wanted = { entry, sample };
    this.running ??= this.work().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  async work() {
    while (this.wanted !== null) {
      const { entry, sample } = this.wanted;
      this.wanted = null;
      await this.draw(entry, sample);
    }
  }

  async draw(entry, sample) {
    if (!entry.file) return this.drawGap(whyMissed(entry));
    let image;
    try {
      image = await this.pictures.load(entry);
    } catch {
      return this.drawGap(whyNotShown(entry));
    }
    const tiles = tilesOf(entry);
    if (sample === null) return this.drawGrid(image, entry, tiles);
    if (tiles === null) return this.drawGap("The record does not tell where this snapshot's tiles are.");
    if (sample >= tiles.count) return this.drawGap(`This snapshot has ${tiles.count} samples only.`);
    return this.drawSample(image, entry, tiles, sample);
  }

  drawGap(text) {
    this.gap.textContent = text;
    this.gap.hidden = false;
    this.tilesKey = "";
    this.fit = () => {};
    this.picture.replaceChildren();
  }

  drawGrid(image, entry, tiles) {
    this.gap.hidden = true;
    image.alt = `Grid of ${tiles ? tiles.count : "the"} samples at ${epochName(entry)}`;
    image.draggable = false;
    const old = this.picture.querySelector("img");
    const key = JSON.stringify([entry.geometry ?? null, image.naturalWidth, image.naturalHeight]);
    if (old !== null && key === this.tilesKey) {
      if (old !== image) old.replaceWith(image);
    } else {
      this.tilesKey = key;
      this.picture.className = "picture grid";
      this.picture.replaceChildren(image, ...this.overlay(image, tiles));
    }
    this.fit = () => {
      const { naturalWidth: width, naturalHeight: height } = image;
      const scale = fittingScale(width, height, this.box.getBoundingClientRect());
      this.picture.style.width = `${width * scale}px`;
      this.picture.style.height = `${height * scale}px`;
      this.picture.classList.toggle("enlarged", scale > 1);
    };
    this.fit();
  }

  /* A button over each sample. One of them is in the order of tabs, and arrows move on from it. */
  overlay(image, tiles) {
    if (tiles === null) return [];
    const buttons = [];
    for (let sample = 0; sample < tiles.count; sample++) {
      const [x, y] = tiles.corner(sample, 0);
      const button = element("button", { type: "button", className: "tile", tabIndex: -1 });
      describe(button, `Sample ${sample} alone`);
      button.title = this.names[sample] ?? "";
      button.style.left = `${(100 * x) / image.naturalWidth}%`;
      button.style.top = `${(100 * y) / image.naturalHeight}%`;
      button.style.width = `${(100 * tiles.across) / image.naturalWidth}%`;
      button.style.height = `${(100 * tiles.down) / image.naturalHeight}%`;
      // A click by keyboard has no position (`detail` is 0): then the focus is to come back here.
      button.onclick = (event) => this.onSample(sample, event.detail === 0);
      buttons.push(button);
    }
    buttons[0].tabIndex = 0;
    const group = element("div", { className: "tiles" }, ...buttons);
    describe(group, "Samples", "group");
    group.onkeydown = (event) => this.moveAmongTiles(event, buttons, tiles.columns);
    return [group];
  }

  moveAmongTiles(event, buttons, columns) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const from = buttons.indexOf(event.target);
    if (from < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    let to = from + (steps[event.key] ?? NaN);
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = buttons.length - 1;
    if (Number.isNaN(to)) return;
    event.preventDefault();
    event.stopPropagation(); // elsewhere these keys choose the snapshot
    if (buttons[to]) this.focusTile(to);
  }

  focusTile(sample) {
    const buttons = [...this.picture.querySelectorAll(".tile")];
    if (!buttons[sample]) return;
    for (const button of buttons) button.tabIndex = -1;
    buttons[sample].tabIndex = 0;
    buttons[sample].focus();
  }

  drawSample(image, entry, tiles, sample) {
    this.gap.hidden = true;
    const key = `sample ${tiles.panels.length}`;
    if (this.tilesKey !== key) {
      this.tilesKey = key;
      this.picture.className = "picture sample";
      this.picture.style.width = this.picture.style.height = "";
      this.picture.replaceChildren(...tiles.panels.map(() => this.panel()));
    }
    [...this.picture.children].forEach((figure, panel) => {
      const [canvas, name] = figure.children;
      drawTile(canvas, image, tiles, sample, panel);
      const label = `Sample ${sample}, ${panelName(tiles, panel)}, at ${epochName(entry)}`;
      describe(canvas, label, "img");
      name.textContent = panelName(tiles, panel);
      name.hidden = tiles.panels.length === 1 && tiles.slices.length === 0;
    });
    this.fit = () => this.fitSample(tiles);
    this.fit();
  }

  panel() {
    return element("div", { className: "panel" }, element("canvas"), element("span"));
  }

  /* Panels side by side or below one another, whatever lets them be larger. */
  fitSample(tiles) {
    const count = tiles.panels.length;
    const room = this.box.getBoundingClientRect();
    const name = count === 1 && tiles.slices.length === 0 ? 0 : 24;
    const gaps = (count - 1) * TILE_GAP;
    const row = fittingScale(tiles.width * count, tiles.height, {
      width: room.width - gaps,
      height: room.height - name,
    });
    const column = fittingScale(tiles.width, tiles.height * count, {
      width: room.width,
      height: room.height - gaps - name * count,
    });
    const scale = Math.max(row, column);
    this.picture.classList.toggle("stacked", column > row);
    this.picture.classList.toggle("enlarged", scale > 1);
    for (const canvas of this.picture.querySelectorAll("canvas")) {
      // A long name is cut, and makes no panel wider.
      canvas.parentElement.style.width = canvas.style.width = `${tiles.width * scale}px`;
      canvas.style.height = `${tiles.height * scale}px`;
    }
  }
}
