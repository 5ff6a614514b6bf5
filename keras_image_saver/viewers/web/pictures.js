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

/* Decoded pictures, the latest few of them. */
class Pictures {
  constructor(most) {
    this.most = most;
    this.kept = new Map();
  }

  load(entry, folder) {
    const url = pictureURL(entry, folder);
    if (url === null) return Promise.reject(new Error("no URL"));
    const promise = this.kept.get(url) ?? this.fetch(url);
    this.kept.delete(url);
    this.kept.set(url, promise);
    if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value);
    return promise;
  }

  fetch(url) {
    const image = new Image();
    image.src = url;
    const promise = image.decode().then(() => image);
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
