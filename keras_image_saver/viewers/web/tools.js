/* The stage's tools: how two pictures are held against each other, the order of samples, zoom, brightness
   and contrast. What is chosen is told; what is drawn depends on what is shown alone. */

const MODE_NAMES = {
  side: "Side by side",
  swipe: "Swipe",
  blink: "Blink",
  difference: "Difference",
};

class StageTools {
  /* onSort (by, kind), of which both are null for the samples' own order; onMode (mode); onLook (look) */
  constructor(root, stage, { onMode, onSort, onLook }) {
    this.onSort = onSort;
    this.onLook = onLook;
    this.mode = this.select("How two are shown", Object.entries(MODE_NAMES));
    this.mode.onchange = () => onMode(this.mode.value);
    this.order = this.select("Order of the samples", []);
    this.order.onchange = () => this.sort();
    this.zoom = element("div", { className: "zooms" });
    this.zoom.append(
      this.button("−", "Zoom out", "-", () => stage.zoomBy(1 / ZOOM_STEP)),
      this.button("Fit", "Fit: as large as it fits", "0", () => stage.zoomHome()),
      this.button("1:1", "1:1, actual size", "1", () => stage.zoomActual()),
      this.button("+", "Zoom in", "+", () => stage.zoomBy(ZOOM_STEP)),
    );
    this.look = this.lookPanel();
    root.append(this.mode, this.order, this.zoom, this.look);
    this.options = "";
  }

  select(label, options) {
    const made = element("select", { className: "tool" });
    describe(made, label);
    made.append(...options.map(([value, textContent]) => element("option", { value, textContent })));
    return made;
  }

  button(textContent, label, key, onclick) {
    const made = element("button", { type: "button", className: "small", textContent, onclick });
    made.title = `${label} (${key})`;
    describe(made, label);
    return made;
  }

  /* Brightness and contrast. */
  lookPanel() {
    this.levels = Object.keys(PLAIN).map((name) => {
      const slider = element("input", { type: "range", min: 0.2, max: 4, step: 0.05, name });
      const label = name[0].toUpperCase() + name.slice(1);
      slider.oninput = () => this.onLook({ ...this.shownLook, [name]: Number(slider.value) });
      return [slider, element("label", {}, element("span", { textContent: label }), slider)];
    });
    const reset = element("button", { type: "button", className: "small", textContent: "Reset" });
    reset.onclick = () => this.onLook(PLAIN);
    const panel = element("div", { className: "levels" }, ...this.levels.map(([, label]) => label), reset);
    this.summary = element("summary", { title: "Brightness and contrast" });
    describe(this.summary, this.summary.title);
    this.summary.append(lookIcon());
    const details = element("details", { className: "look" }, this.summary, panel);
    details.onkeydown = (event) => {
      if (event.key !== "Escape" || !details.open) return;
      event.stopPropagation(); // elsewhere it leaves the sample
      details.open = false;
      this.summary.focus();
    };
    return details;
  }

  sort() {
    const [kind, by] = JSON.parse(this.order.value);
    this.onSort(by, kind);
  }

  /* `measures` are the names of those to sort by; `orderName` says when the order was chosen. */
  draw({ mode, sample, order, look }, measures, orderName) {
    this.mode.hidden = mode === null;
    if (mode !== null) this.mode.value = mode;
    this.drawOrder(order, measures, orderName);
    this.order.hidden ||= sample !== null;
    this.shownLook = look;
    for (const [slider] of this.levels) {
      slider.value = look[slider.name];
      slider.setAttribute("aria-valuetext", `${Math.round(100 * look[slider.name])} %`);
    }
    this.summary.classList.toggle("is-on", look.brightness !== 1 || look.contrast !== 1);
  }

  drawOrder(order, measures, orderName) {
    this.order.hidden = measures.length === 0 && order === null;
    const names = order && !measures.includes(order.by) ? [...measures, order.by] : measures;
    const options = [[null, null], ...names.flatMap((by) => Object.keys(ORDER_KINDS).map((kind) => [kind, by]))];
    const chosen = JSON.stringify(order ? [order.kind, order.by] : [null, null]);
    const texts = options.map(([kind, by]) => {
      const value = JSON.stringify([kind, by]);
      const when = value === chosen && order ? ` (${orderName})` : "";
      return [value, by === null ? "In order" : `${by}: ${ORDER_KINDS[kind]}${when}`];
    });
    const key = JSON.stringify(texts);
    if (key !== this.options) {
      this.options = key;
      this.order.replaceChildren(...texts.map(([value, textContent]) => element("option", { value, textContent })));
    }
    this.order.value = chosen;
  }
}

/* A disk, half of it filled. */
function lookIcon() {
  const icon = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
  icon.append(svg("circle", { cx: 12, cy: 12, r: 8 }), svg("path", { d: "M12 4a8 8 0 0 1 0 16z" }));
  return icon;
}
