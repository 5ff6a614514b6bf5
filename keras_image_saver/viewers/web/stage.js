/* The stage: up to four shots in their frames, zoomed and panned as one. */

const TEXTS = { caption: 1.65, line: 1.15, name: 1.5 }; // heights in rem, as stage.css has them
const STAGE_EDGE = 2; // CSS pixels around the frames, for a tile's outline

const MOST_PIXELS = 2 ** 26; // that are kept decoded: 256 MiB

class Stage {
  constructor(root, { onSample, onView }) {
    this.root = root;
    this.onSample = onSample;
    this.onView = onView;
    this.pictures = new Pictures(200, MOST_PIXELS);
    this.frames = [];
    this.view = HOME;
    this.wanted = null;
    this.running = null;
    this.redraw = () => {};
    this.room = null;
    this.layoutKey = "";
    new ResizeObserver(() => this.resize()).observe(root);
    new Gestures(this);
  }

  /* Show a scene as soon as its pictures are decoded. While they are loading only the latest wish is kept,
     so that a slider never waits for what it has passed. */
  show(scene) {
    this.view = scene.view;
    this.wanted = scene;
    this.running ??= this.work();
    return this.running;
  }

  async work() {
    try {
      while (this.wanted !== null) {
        const scene = this.wanted;
        this.wanted = null;
        const images = await Promise.all(scene.shots.map((shot) => this.load(shot)));
        this.redraw = () => this.draw(scene, images);
        this.redraw();
      }
    } finally {
      this.running = null; // in the same turn, so that no wish comes between
    }
  }

  load({ entry, run }) {
    return entry.file ? this.pictures.load(entry, run.url).catch(() => null) : Promise.resolve(null);
  }

  clear() {
    this.wanted = null;
    this.redraw = () => {};
    this.setFrames(0);
  }

  resize() {
    this.room = null;
    this.redraw();
  }

  draw(scene, images) {
    const sizes = images.map((image) => image && { width: image.naturalWidth, height: image.naturalHeight });
    const shown = shownOf(scene, sizes);
    const frames = framesOf(scene, shown);
    this.room ??= this.measured();
    const wish = wishOf(scene, shown, frames, { ...this.room, ratio: window.devicePixelRatio });
    const layout = this.layoutFor(wish);
    const samples = this.samplesFor(scene, wish.count);
    this.setFrames(frames.length);
    this.root.classList.toggle("is-stacked", !layout.across);
    frames.forEach((frame, number) => {
      const isAlone = scene.sample !== null;
      const text = (sample) => sampleText(frame, sample, isAlone);
      this.frames[number].draw({ scene, frame, number, layout, samples, images, wish, isAlone, text });
    });
    setPickedColor(scene.picked);
    this.setView(this.view);
  }

  measured() {
    const style = getComputedStyle(this.root);
    const inside = (length, ...edges) =>
      Math.max(1, edges.reduce((left, edge) => left - parseFloat(style[edge]), length) - 2 * STAGE_EDGE);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const texts = Object.entries(TEXTS).map(([name, height]) => [name, height * rem]);
    const room = {
      width: inside(this.root.clientWidth, "paddingLeft", "paddingRight"),
      height: inside(this.root.clientHeight, "paddingTop", "paddingBottom"),
    };
    return { room, ...Object.fromEntries(texts) };
  }

  /* The same object as long as nothing of it changes, by which frames know that they are drawn. */
  layoutFor(wish) {
    const key = JSON.stringify(wish);
    if (key !== this.layoutKey) {
      this.layout = layoutOf(wish);
      this.layoutKey = key;
    }
    return this.layout;
  }

  samplesFor({ sample, order }, count) {
    const key = [sample, order, count];
    if (!this.samplesKey || key.some((one, index) => one !== this.samplesKey[index])) {
      this.samples = samplesOf({ sample, order }, count);
      this.samplesKey = key;
    }
    return this.samples;
  }

  setFrames(count) {
    while (this.frames.length > count) this.frames.pop().root.remove();
    while (this.frames.length < count) {
      const frame = new Frame(this.onSample);
      this.frames.push(frame);
      this.root.append(frame.root);
    }
  }

  /* The pictures that are shown, each with its title: two in one frame as two. */
  canvases() {
    const frames = this.frames.filter((frame) => !frame.picture.hidden);
    return frames.flatMap((frame) => frame.layers.map(({ canvas, title }) => ({ canvas, title })));
  }

  setView(view) {
    this.view = view;
    for (const frame of this.frames) frame.setView(view);
  }

  // Zoomed and panned by hand

  frameOf(node) {
    return this.frames.find((frame) => frame.box.contains(node));
  }

  /* Whether some of a picture is out of its frame. */
  get isLarger() {
    return this.frames.some((frame) => isLarger(this.view, frame.size, frame.room));
  }

  /* Whether that is so where nothing is zoomed. */
  get isPanned() {
    return this.layout?.isPanned ?? false;
  }

  /* What is under a point of a frame stays there; tell whether anything changed. */
  zoomAt(frame, factor, point) {
    return this.zoomTo(frame, steppedZoom(this.view.zoom, factor, zoomLimits(frame.scale)), point);
  }

  zoomBy(factor) {
    const frame = this.frames.at(-1);
    if (frame) this.zoomAt(frame, factor, middleOfRoom(frame));
  }

  zoomHome() {
    this.changeView(HOME);
  }

  /* A pixel of the picture is a pixel of the window. */
  zoomActual() {
    const frame = this.frames.at(-1);
    if (frame) this.zoomTo(frame, 1 / frame.scale, middleOfRoom(frame));
  }

  zoomTo(frame, zoom, point) {
    return this.changeView(zoomedAbout(this.view, zoom, point, frame.size, frame.room));
  }

  panBy(frame, across, down) {
    return this.changeView(pannedBy(this.view, across, down, frame.size, frame.room));
  }

  changeView(view) {
    const { zoom, x, y } = this.view;
    if (view.zoom === zoom && view.x === x && view.y === y) return false;
    this.setView(view);
    this.onView(view);
    return true;
  }

  /* While a key is held, the other picture is seen. */
  blink(isHeld) {
    for (const frame of this.frames) frame.blink(isHeld);
  }

  focusTile(sample) {
    this.frames.at(-1)?.focusTile(sample);
  }
}

function middleOfRoom({ room }) {
  return { x: room.width / 2, y: room.height / 2 };
}

/* What stands under a sample: its number, its name, and what it had by each measure; of two pictures over
   each other, in both. What a panel shows that all share has no number. */
function sampleText({ layers, isShared }, sample, isAlone) {
  const shots = layers.map(({ shown }) => shown.shot);
  const name = `${sample} ${shots[0].run.samples[sample] ?? ""}`.trim();
  const numbers = isShared ? [] : measuresOf(shots, sample);
  return (isAlone ? numbers : [name, ...numbers]).join(" \u00b7 ");
}

function measuresOf(shots, sample) {
  const ofSamples = (shot) => [...(shot.values ?? [])].filter(([, found]) => found.length > 1);
  const names = new Set(shots.flatMap((shot) => ofSamples(shot).map(([name]) => name)));
  const digits = (shot, name) => {
    const value = shot.values?.get(name)?.[sample];
    return value === undefined ? "none" : String(Number(value.toPrecision(3)));
  };
  return [...names].map((name) => `${name} ${shots.map((shot) => digits(shot, name)).join(" \u2192 ")}`);
}
