/* A picture's tiles on a canvas. It is drawn again only if what is on it changes, never to zoom. */
class Layer {
  constructor() {
    this.canvas = element("canvas");
    this.inner = element("div", { className: "inner" }, this.canvas);
    this.root = element("div", { className: "layer" }, this.inner);
    this.drawn = [];
    this.title = "";
  }

  draw(image, tiles, panels, layout, frame, samples) {
    const wanted = [image, layout, frame, samples, String(panels)];
    if (wanted.every((one, index) => one === this.drawn[index])) return false;
    this.drawn = wanted;
    this.canvas.dataset.source = image.src;
    drawTiles(this.canvas, image, tiles, panels, layout, frame, samples);
    return true;
  }

  /* Over the others, the panels of classes, of which the filter dims all but the one that is picked. */
  drawClasses(isPicked, isAnother, ...content) {
    if (!isPicked) {
      this.classes?.remove();
      this.classes = null;
    } else if (isAnother || !this.classes) {
      this.classes ??= element("canvas", { className: "classes" });
      this.canvas.after(this.classes);
      this.classes.style.filter = `url("#${PICKED}")`;
      drawTiles(this.classes, ...content);
    }
  }

  /* The picture's own file over the canvas, unseen, for who asks for it by the right button. */
  offerOriginal(isOffered) {
    this.inner.querySelector("img")?.remove();
    if (!isOffered) return;
    const { source } = this.canvas.dataset;
    this.inner.append(element("img", { src: source, alt: "", draggable: false, className: "original" }));
  }
}

function drawTiles(canvas, image, tiles, panels, layout, frame, samples) {
  const { frames, density, tile } = layout;
  const { width, height, cell } = frames[frame];
  const size = [width, height].map((length) => Math.max(1, Math.round(length * density)));
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  const factor = Math.min(tile.width / tiles.width, tile.height / tiles.height);
  context.imageSmoothingEnabled = density < 1 || factor < 1;
  context.imageSmoothingQuality = "high";
  samples.forEach((sample, place) => {
    if (sample >= tiles.count) return;
    const [left, top] = layout.cornerOf(frame, place);
    panels.forEach((panel, number) => {
      if (panel < 0) return;
      const [x, y] = tiles.corner(sample, panel);
      const [across, down] = layout.offsetOf(number);
      context.drawImage(
        image, x, y, tiles.width, tiles.height,
        left + across, top + down, tiles.width * factor, tiles.height * factor,
      );
    });
  });
}

