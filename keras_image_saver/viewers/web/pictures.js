/* Picture files and their tiles. */

/* `folder` is the URL of the run's, with a slash at its end. */
function pictureURL(entry, folder = "./") {
  const parts = String(entry.file).split("/");
  if (parts.includes("..")) return null;
  try {
    const path = parts.map(encodeURIComponent).join("/");
    return `${folder}${path}?t=${encodeURIComponent(entry.time)}`; // a name may be written to twice
  } catch {
    return null; // half a surrogate pair has no URL
  }
}

/* Decoded pictures, the latest of them: so many, of so many pixels together. */
class Pictures {
  constructor(most, mostPixels = Infinity) {
    this.most = most;
    this.mostPixels = mostPixels;
    this.pixels = new Map(); // by URL, of those that have arrived
    this.kept = new Map();
  }

  load(entry, folder) {
    const url = pictureURL(entry, folder);
    if (url === null) return Promise.reject(new Error("no URL"));
    const promise = this.kept.get(url) ?? this.fetch(url);
    this.kept.delete(url);
    this.kept.set(url, promise);
    this.trim();
    return promise;
  }

  /* Let go of the oldest; the latest few stay, however large they are. */
  trim() {
    let pixels = [...this.pixels.values()].reduce((sum, one) => sum + one, 0);
    for (const url of this.kept.keys()) {
      const isMuch = this.kept.size > this.most || (pixels > this.mostPixels && this.kept.size > 4);
      if (!isMuch) return;
      pixels -= this.pixels.get(url) ?? 0;
      this.kept.delete(url);
      this.pixels.delete(url);
    }
  }

  fetch(url) {
    const image = new Image();
    image.src = url;
    const promise = image.decode().then(() => {
      if (this.kept.has(url)) this.pixels.set(url, image.naturalWidth * image.naturalHeight);
      return image;
    });
    promise.catch(() => this.kept.delete(url)); // it may be there the next time
    return promise;
  }
}

function whyNotShown(entry) {
  const name = String(entry.file);
  if (/\.tiff?$/i.test(name)) {
    return `${name} is a TIFF, which this browser does not show. Save as .png or .webp to see the run here.`;
  }
  return `${name} cannot be shown: it is missing, broken, or of a format that this browser does not know.`;
}

function whyMissed(entry) {
  return `This snapshot was missed: ${entry.reason || "the record does not say why"}`;
}

/* Draw one tile into a canvas, whose size becomes the tile's, or less. */
function drawTile(canvas, image, tiles, sample, panel, scale = 1) {
  const [x, y] = tiles.corner(sample, panel);
  canvas.width = Math.max(1, Math.round(tiles.width * scale));
  canvas.height = Math.max(1, Math.round(tiles.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = scale < 1;
  context.imageSmoothingQuality = "high";
  context.drawImage(
    image, x, y, tiles.width, tiles.height, 0, 0, canvas.width, canvas.height,
  );
}
