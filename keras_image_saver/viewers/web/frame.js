/* One frame of the stage: a picture, or two over each other, whose tiles stand as the layout has them, with
   a button over each sample, and text where there is room. */

class Frame {
  constructor(onSample) {
    this.onSample = onSample;
    this.layers = [];
    this.stack = element("div", { className: "layers" });
    this.overlay = element("div", { className: "overlay" });
    this.picture = element("div", { className: "picture" }, this.stack, this.overlay);
    this.gap = element("p", { className: "gap", hidden: true });
    this.gap.setAttribute("role", "status");
    this.box = element("div", { className: "box" }, this.picture, this.gap);
    this.title = element("span");
    this.caption = element("figcaption", {}, this.title);
    this.root = element("figure", { className: "frame" }, this.caption, this.box);
    this.pair = new Pair(this);
    this.overlaid = [];
    Object.assign(this, { samples: [], buttons: [], panels: [], texts: [] }); // what lies over the picture
    this.box.addEventListener("pointerdown", ({ button, ctrlKey }) => {
      if (button === 2 || ctrlKey) this.offerOriginal(true);
    });
    // The menu is that of what was under the pointer when it was asked for.
    this.box.addEventListener("contextmenu", () => setTimeout(() => this.offerOriginal(false)));
    this.size = { width: 1, height: 1 }; // of the picture at zoom 1, and of the box: CSS pixels
    this.room = { width: 1, height: 1 };
  }

  /* `images` are those of the scene's shots. */
  draw({ scene, frame, number, layout, samples, images, wish, isAlone, text }) {
    const { title, color, panels, layers, problem } = frame;
    this.setCaption(wish.caption, title, color, panels, isAlone || layers.length > 1);
    this.setSize(layout, number, wish);
    this.gap.textContent = problem;
    this.gap.hidden = problem === "";
    this.picture.hidden = problem !== "";
    while (this.layers.length > layers.length) this.layers.pop().root.remove();
    while (this.layers.length < layers.length) this.addLayer();
    layers.forEach(({ shown, panels: drawn }, index) => {
      const layer = this.layers[index];
      const { shot, tiles } = shown;
      const content = [images[shown.number], tiles, drawn, layout, number, samples];
      const isAnother = layer.draw(...content);
      layer.title = shot.title;
      const isOfClasses = (panel) => shot.run.classPanels.includes(tiles.panels[panel]);
      const ofClasses = drawn.map((panel) => (isOfClasses(panel) ? panel : -1));
      const isPicked = scene.picked !== null && canPickIn(shot.run, shot.entry);
      layer.drawClasses(isPicked, isAnother, ...content.with(2, ofClasses));
      const whose = isAlone ? `Sample ${samples[0]}, ${panels.join(", ")},` : `Grid of ${tiles.count} samples`;
      describe(layer.canvas, `${whose} at ${shot.title}`, "img");
    });
    this.pair.set(problem || layers.length < 2 ? null : scene.mode, layers);
    const { brightness, contrast } = scene.look;
    const isPlain = brightness === 1 && contrast === 1;
    this.stack.style.filter = isPlain ? "" : `brightness(${brightness}) contrast(${contrast})`;
    if (problem) return;
    const [{ shown }] = layers;
    this.setOverlay(layout, number, samples, shown, panels, isAlone);
    this.setText(text);
  }

  blink(isHeld) {
    this.pair.blink(isHeld);
  }

  /* A right click reaches the pictures, not the buttons over them. */
  offerOriginal(isOffered) {
    this.box.classList.toggle("shows-original", isOffered);
    for (const layer of this.layers) layer.offerOriginal(isOffered);
  }

  addLayer() {
    const layer = new Layer();
    this.layers.push(layer);
    this.stack.append(layer.root);
  }

  setCaption(height, title, color, panels, isNamed) {
    this.caption.hidden = height === 0;
    const names = !isNamed && panels.length > 1 ? panels.join(" | ") : "";
    const text = [title, names].filter(Boolean).join(": ");
    if (this.title.textContent !== text) this.title.textContent = this.title.title = text;
    this.caption.style.borderColor = color ?? "";
  }

  setSize(layout, number, { caption, room }) {
    const share = (side) => layout.frames[number][side] / layout.frames.reduce((sum, one) => sum + one[side], 0);
    const others = (layout.frames.length - 1) * GAP.frame;
    const { across, scale } = layout;
    this.room = {
      width: across ? (room.width - others) * share("width") : room.width,
      height: across
        ? room.height - caption
        : (room.height - others - layout.frames.length * caption) * share("height"),
    };
    const { width, height } = layout.frames[number];
    this.size = { width: width * scale, height: height * scale };
    this.root.style.width = this.box.style.width = `${this.room.width}px`;
    this.box.style.height = `${this.room.height}px`;
    this.picture.style.width = `${this.size.width}px`;
    this.picture.style.height = `${this.size.height}px`;
    this.scale = scale;
  }

  setView(view) {
    const { left, top, zoom } = placed(view, this.size, this.room);
    const whole = (length) => Math.round(length * window.devicePixelRatio) / window.devicePixelRatio;
    this.caption.style.transform = top > 0 ? `translateY(${whole(top)}px)` : ""; // it stands at its picture
    this.picture.style.transform = `translate(${whole(left)}px, ${whole(top)}px) scale(${zoom})`;
    this.picture.style.setProperty("--zoom", zoom); // texts and outlines stay as they are
    this.picture.classList.toggle("enlarged", this.scale * zoom * window.devicePixelRatio >= 1);
    this.box.classList.toggle("is-larger", isLarger(view, this.size, this.room));
    this.pair.place({ left, width: this.size.width * zoom, room: this.room });
  }

  /* A button over each sample; over one alone, what its panels are called. */
  setOverlay(layout, number, samples, shown, panels, isAlone) {
    const { tiles, shot } = shown;
    const { samples: names } = shot.run;
    const isTiled = isAlone || tilesOf(shot.entry) !== null;
    const wanted = [samples, names, String(panels), String(tiles.slices), isAlone, isTiled, layout.under.cell > 0];
    const isAnother = wanted.some((one, index) => one !== this.overlaid[index]);
    if (!isAnother && layout === this.placedBy) return;
    if (isAnother) {
      this.overlaid = wanted;
      this.makeOverlay(samples, names, isAlone, isTiled, layout.under.cell > 0, tiles, panels);
    }
    this.placedBy = layout;
    this.columns = layout.columns;
    const { cell } = layout.frames[number];
    const corner = (place) => layout.cornerOf(number, place);
    this.buttons.forEach((button, place) => this.put(button, layout, number, corner(place), cell));
    this.panels.forEach((panel, index) => {
      const [across, down] = layout.offsetOf(index);
      this.put(panel, layout, number, [across, down], layout.tile);
      panel.firstElementChild.hidden = !layout.under.panel;
    });
    this.texts.forEach((text, place) => {
      const [x, y] = corner(place);
      this.put(text, layout, number, [x, y + cell.height], { ...cell, height: layout.under.cell });
    });
  }

  makeOverlay(samples, names, isAlone, isTiled, hasText, tiles, panels) {
    this.samples = isTiled ? samples : [];
    this.buttons = isAlone ? [] : this.samples.map((sample, place) => this.button(sample, place, names[sample]));
    this.panels = isAlone ? panels.map((name) => this.panelName(name, tiles)) : [];
    this.texts = hasText ? this.samples.map(() => element("span", { className: "under" }, element("span"))) : [];
    const group = element("div", { className: "tiles" }, ...this.buttons);
    if (this.buttons.length) describe(group, "Samples", "group");
    group.onkeydown = (event) => this.moveAmongTiles(event);
    group.onpointerover = ({ target }) => {
      const place = this.buttons.indexOf(target);
      if (place >= 0) target.title = this.tell(this.samples[place]); // where there is no room for it
    };
    this.overlay.replaceChildren(group, ...this.panels, ...this.texts);
  }

  button(sample, place, name = "") {
    const button = element("button", { type: "button", className: "tile", tabIndex: place ? -1 : 0, title: name });
    describe(button, `Sample ${sample} alone`);
    // A click by keyboard has no position (`detail` is 0): then the focus is to come back here.
    button.onclick = (event) => this.onSample(sample, event.detail === 0);
    return button;
  }

  panelName(name, tiles) {
    const text = panelName(name, tiles);
    return element("div", { className: "panel" }, element("span", { textContent: text, title: text }));
  }

  put(node, layout, number, [x, y], { width, height }) {
    const frame = layout.frames[number];
    node.style.left = `${(100 * x) / frame.width}%`;
    node.style.top = `${(100 * y) / frame.height}%`;
    node.style.width = `${(100 * width) / frame.width}%`;
    node.style.height = `${(100 * height) / frame.height}%`;
    return node;
  }

  /* `text` tells what stands under a sample. */
  setText(text) {
    this.tell = text;
    this.texts.forEach((node, place) => {
      const told = text(this.samples[place]);
      if (node.textContent !== told) node.firstElementChild.textContent = node.title = told;
    });
  }

  moveAmongTiles(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    const from = this.buttons.indexOf(event.target);
    if (from < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    let to = from + (steps[event.key] ?? NaN);
    if (event.key === "Home") to = 0;
    if (event.key === "End") to = this.buttons.length - 1;
    if (Number.isNaN(to)) return;
    event.preventDefault();
    event.stopPropagation(); // elsewhere these keys choose the snapshot
    this.focusPlace(to);
  }

  focusPlace(place) {
    if (!this.buttons[place]) return;
    for (const button of this.buttons) button.tabIndex = -1;
    this.buttons[place].tabIndex = 0;
    this.buttons[place].focus({ preventScroll: true });
  }

  focusTile(sample) {
    this.focusPlace(this.samples.indexOf(sample));
  }
}
