/* Classes by their colours: a legend, and a filter that dims the pixels of all classes but one. */

const PICKED = "picked-class";
const DIMMED = [0.2126, 0.7152, 0.0722].map((share) => 0.3 * share);

/* An SVG filter that leaves one colour as it is. A table tells the level of each channel; where all three
   are right their sum is 3. */
function colorFilter(id, color) {
  const filter = svg("filter", { id, x: 0, y: 0, width: 1, height: 1, "color-interpolation-filters": "sRGB" });
  const levels = svg("feComponentTransfer", { in: "SourceGraphic" });
  ["R", "G", "B"].forEach((channel, index) => {
    const tableValues = Array.from({ length: 256 }, (_, level) => Number(level === color[index])).join(" ");
    levels.append(svg(`feFunc${channel}`, { type: "discrete", tableValues }));
  });
  const dim = Array.from({ length: 3 }, () => [...DIMMED, 0, 0.12].join(" ")).join(" ");
  filter.append(
    levels,
    svg("feColorMatrix", { values: "0 0 0 0 1  0 0 0 0 1  0 0 0 0 1  1 1 1 0 -2", result: "mask" }),
    svg("feComposite", { in: "SourceGraphic", in2: "mask", operator: "in", result: "kept" }),
    svg("feColorMatrix", { in: "SourceGraphic", values: `${dim}  0 0 0 1 0`, result: "dimmed" }),
    svg("feComposite", { in: "kept", in2: "dimmed", operator: "over" }),
  );
  return filter;
}

/* Put the filter of a colour into the document; `null` takes it out. */
function setPickedColor(color) {
  const text = String(color);
  const holder = by("class-filter") ?? document.body.appendChild(svg("svg", { id: "class-filter" }));
  if (holder.dataset.color === text) return;
  holder.dataset.color = text;
  holder.setAttribute("class", "hidden");
  holder.setAttribute("aria-hidden", "true");
  holder.replaceChildren(...(color ? [colorFilter(PICKED, color)] : []));
}

/* Whether this browser keeps a colour to the last level and dims one that is a level away. */
let keepsColors = null;
function canPickClasses() {
  keepsColors ??= testFilter();
  return keepsColors;
}

function testFilter() {
  const own = svg("svg", { class: "hidden" });
  own.append(colorFilter("class-filter-test", [128, 64, 127]));
  document.body.append(own);
  try {
    const context = element("canvas", { width: 2, height: 1 }).getContext("2d");
    const source = element("canvas", { width: 2, height: 1 });
    const drawing = source.getContext("2d");
    ["rgb(128 64 127)", "rgb(128 64 128)"].forEach((color, x) => {
      drawing.fillStyle = color;
      drawing.fillRect(x, 0, 1, 1);
    });
    context.filter = "url(#class-filter-test)";
    context.drawImage(source, 0, 0);
    const [r, g, b, , otherR, otherG] = context.getImageData(0, 0, 2, 1).data;
    return r === 128 && g === 64 && b === 127 && otherR === otherG && otherR < 100;
  } catch {
    return false;
  } finally {
    own.remove();
  }
}

/* Whether the classes of what is shown can be picked: their panels are told, and no pixel is changed by
   the format. */
function canPickIn(run, entry) {
  const panels = tilesOf(entry)?.panels ?? [];
  const hasPanel = panels.some((name) => run.classPanels.includes(name));
  return hasPanel && /\.png$/i.test(String(entry.file)) && canPickClasses();
}

/* A class and the colour that it is drawn in; a button where it can be picked. */
function classItem({ id, name, color }, isPicked, onPick) {
  const swatch = svg("svg", { class: "swatch", viewBox: "0 0 1 1", "aria-hidden": "true" });
  swatch.append(svg("rect", { width: 1, height: 1, fill: `rgb(${color.join(" ")})` }));
  if (!onPick) return element("li", { title: `class ${id}` }, swatch, name);
  const button = element("button", { type: "button", className: "class", title: `class ${id} alone` }, swatch, name);
  button.setAttribute("aria-pressed", String(isPicked));
  button.onclick = () => onPick(isPicked ? null : id);
  return element("li", {}, button);
}

class ClassLegend {
  constructor(root, onPick) {
    this.root = root;
    this.onPick = onPick;
    this.drawn = [];
  }

  draw(classes, picked, isPickable) {
    const wanted = [classes, picked, isPickable];
    if (wanted.every((one, index) => one === this.drawn[index])) return;
    this.drawn = wanted;
    const focused = [...this.root.querySelectorAll("button")].indexOf(document.activeElement);
    const onPick = isPickable ? this.onPick : null;
    this.root.replaceChildren(...classes.map((one) => classItem(one, one.id === picked, onPick)));
    this.root.querySelectorAll("button")[focused]?.focus();
  }
}
