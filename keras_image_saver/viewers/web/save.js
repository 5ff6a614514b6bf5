/* What is on the stage as one PNG: saved, or copied. A page from disk may show pictures and not read them,
   nor may one in a frame without an origin; there neither is offered, as the picture's own file is. */

const SAVED_GAP = 8; // pixels between pictures, and around them
const SAVED_TITLE = 24; // pixels for what stands above each
const SAID_MS = 2000;

const canCopy = () => Boolean(window.ClipboardItem && navigator.clipboard?.write);

/* Whether what is drawn may be read. */
function canRead(canvas) {
  try {
    canvas.getContext("2d").getImageData(0, 0, 1, 1);
    return true;
  } catch {
    return false;
  }
}

/* A file's name of these words. */
function fileName(...words) {
  const text = words.join("-").replace(/[^\p{L}\p{N}.]+/gu, "-").replace(/^[-.]+|-+$/g, "");
  return `${text || "picture"}.png`;
}

/* Pictures side by side, each under its title; of one alone its name tells. */
function joined(shown) {
  const isTitled = shown.length > 1;
  const top = SAVED_GAP + (isTitled ? SAVED_TITLE : 0);
  const edge = isTitled ? SAVED_GAP : 0;
  const canvas = element("canvas");
  canvas.width = shown.reduce((width, one) => width + one.canvas.width + edge, edge);
  canvas.height = Math.max(...shown.map((one) => one.canvas.height)) + (isTitled ? top + edge : 0);
  const context = canvas.getContext("2d");
  if (isTitled) {
    const { backgroundColor, color, fontFamily } = getComputedStyle(document.body);
    context.fillStyle = backgroundColor;
    context.fillRect(0, 0, canvas.width, canvas.height);
    Object.assign(context, { fillStyle: color, font: `14px ${fontFamily}`, textBaseline: "middle" });
  }
  let left = edge;
  for (const { canvas: picture, title } of shown) {
    if (isTitled) context.fillText(title, left, top / 2, picture.width);
    context.drawImage(picture, left, isTitled ? top : 0);
    left += picture.width + edge;
  }
  return canvas;
}

class Saving {
  /* `shown` gives what is on the stage, [{canvas, title}]. */
  constructor(save, copy, shown) {
    this.shown = shown;
    this.buttons = [save, copy];
    this.name = fileName();
    save.onclick = () => this.save();
    copy.onclick = () => this.copy(copy);
  }

  /* Offer what may be done with what is on the stage now; `words` are for the file's name. */
  offer(...words) {
    this.name = fileName(...words);
    const shown = this.shown();
    this.isReadable ||= shown.length > 0 && canRead(shown[0].canvas); // a browser that may once may always
    const [save, copy] = this.buttons;
    save.hidden = !this.isReadable || shown.length === 0;
    copy.hidden = save.hidden || !canCopy();
  }

  content() {
    const canvas = joined(this.shown());
    return new Promise((resolve, reject) => {
      const done = (content) => (content ? resolve(content) : reject(new Error("It is too large.")));
      canvas.toBlob(done, "image/png");
    });
  }

  async save() {
    const url = URL.createObjectURL(await this.content());
    element("a", { href: url, download: this.name }).click();
    setTimeout(() => URL.revokeObjectURL(url), SAID_MS);
  }

  async copy(button) {
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": this.content() })]);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not copied"; // the browser asked, and was told no
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (button.textContent = "Copy"), SAID_MS);
  }
}
