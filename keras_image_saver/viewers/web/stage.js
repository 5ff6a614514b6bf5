/* The stage: up to four shots in their frames, zoomed and panned as one. */

const CAPTION = 26; // CSS pixels, as stage.css has it
const STAGE_EDGE = 2; // CSS pixels around the frames, for a tile's outline

class Stage {
  constructor(root, { onSample, onView }) {
    this.root = root;
    this.onSample = onSample;
    this.onView = onView;
    this.pictures = new Pictures(32);
    this.frames = [];
    this.view = HOME;
    this.wanted = null;
    this.running = null;
    this.redraw = () => {};
    this.room = null;
    this.layoutKey = "";
    new ResizeObserver(() => this.resize()).observe(root);
  }

  /* Show a scene as soon as its pictures are decoded. While they are loading only the latest wish is kept,
     so that a slider never waits for what it has passed. */
  show(scene) {
    this.view = scene.view;
    this.wanted = scene;
    this.running ??= this.work().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  async work() {
    while (this.wanted !== null) {
      const scene = this.wanted;
      this.wanted = null;
      const loads = scene.shots.map(({ entry, run }) =>
        entry.file ? this.pictures.load(entry, run.url).catch(() => null) : null,
      );
      const images = await Promise.all(loads);
      this.redraw = () => this.draw(scene, images);
      this.redraw();
    }
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
    const surroundings = { room: this.room, ratio: window.devicePixelRatio, caption: CAPTION };
    const wish = wishOf(scene, shown, frames, surroundings);
    const layout = this.layoutFor(wish);
    const samples = this.samplesFor(scene, wish.count);
    this.setFrames(frames.length);
    this.root.classList.toggle("is-stacked", !layout.across);
    frames.forEach((frame, number) => {
      const isAlone = scene.sample !== null;
      const text = (sample) => sampleText(frame, sample, isAlone);
      this.frames[number].draw({ frame, number, layout, samples, images, wish, isAlone, text });
    });
    this.setView(this.view);
  }

  measured() {
    const style = getComputedStyle(this.root);
    const inside = (length, ...edges) =>
      Math.max(1, edges.reduce((left, edge) => left - parseFloat(style[edge]), length) - 2 * STAGE_EDGE);
    return {
      width: inside(this.root.clientWidth, "paddingLeft", "paddingRight"),
      height: inside(this.root.clientHeight, "paddingTop", "paddingBottom"),
    };
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

  setView(view) {
    this.view = view;
    for (const frame of this.frames) frame.setView(view);
  }

  focusTile(sample) {
    this.frames.at(-1)?.focusTile(sample);
  }
}

/* What stands under a sample: its number, its name, and what it had by each measure. */
function sampleText({ layers }, sample, isAlone) {
  const [{ shown }] = layers;
  const { run, values } = shown.shot;
  const numbers = [...(values ?? [])]
    .filter(([, found]) => found.length > 1)
    .map(([name, found]) => `${name} ${shortNumber(found[sample] ?? NaN)}`);
  const name = run.samples[sample] ?? "";
  return (isAlone ? numbers : [`${sample} ${name}`.trim(), ...numbers]).join(" · ");
}
