/* Parts of other folders' records. No script of another folder runs in this page: the part comes as a
   document in a frame that may do nothing but post what it holds, and is text until it is looked at. */

const TWIN_WAIT_MS = 5000;
const FRAMES_AT_ONCE = 4;

class Twins {
  #waiting = [];
  #open = 0;

  constructor(root) {
    this.root = root;
  }

  /* The text of a part, null where none comes: there is no such file, or the browser shows it to nobody. */
  async load(url, segment) {
    if (this.#open === FRAMES_AT_ONCE) await new Promise((free) => this.#waiting.push(free));
    this.#open++;
    try {
      return await this.read(url, segment);
    } finally {
      this.#open--;
      this.#waiting.shift()?.();
    }
  }

  read(url, segment) {
    const frame = element("iframe", { tabIndex: -1, title: "a part of a run" });
    frame.setAttribute("sandbox", "allow-scripts");
    return new Promise((resolve) => {
      const end = (text) => {
        clearTimeout(timer);
        removeEventListener("message", hear);
        frame.remove();
        resolve(text);
      };
      const hear = ({ source, data }) => {
        if (source !== frame.contentWindow || source === null) return; // of another frame, or a stranger
        end(partIn(data, segment));
      };
      const timer = setTimeout(() => end(null), TWIN_WAIT_MS);
      addEventListener("message", hear);
      // A document that posts has done so before it is loaded; what comes then is the last of it.
      frame.onload = () => setTimeout(() => end(null), 500);
      frame.src = `${url}?t=${Date.now()}`;
      this.root.append(frame);
    });
  }
}
