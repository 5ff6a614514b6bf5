/* The list: a card a run, of which some are chosen to be compared. */

const MOST_COMPARED = 4;
const MOST_VALUES = 6;

class Cards {
  constructor(cards, { onChoice, now }) {
    this.onChoice = onChoice;
    this.now = now;
    this.chosen = []; // names, in the order in which they were chosen
    this.cards = cards.map((card) => ({ ...card, name: wellFormed(card.name), node: null }));
    this.draw();
    by("filter").addEventListener("input", () => this.filter());
    by("order").addEventListener("input", () => this.sort());
    by("clear").addEventListener("click", () => this.choose([]));
  }

  named(name) {
    return this.cards.find((card) => card.name === name);
  }

  draw() {
    for (const card of this.cards) card.node = this.node(card);
    this.sort();
    this.choose([]);
  }

  /* Draw a run anew, as its own folder tells it now. */
  renew(card, changes) {
    Object.assign(card, changes);
    const node = this.node(card);
    node.hidden = card.node.hidden;
    const focused = card.node.contains(document.activeElement) && document.activeElement.className;
    card.node.replaceWith(node);
    card.node = node;
    this.choose(this.chosen);
    if (focused) node.getElementsByClassName(focused)[0]?.focus();
  }

  sort() {
    const byName = (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true });
    const sorted = [...this.cards].sort(
      by("order").value === "name" ? byName : (a, b) => b.time - a.time || byName(a, b),
    );
    by("cards").replaceChildren(...sorted.map((card) => card.node));
    this.filter();
  }

  filter() {
    const wanted = by("filter").value.trim().toLowerCase();
    for (const card of this.cards) card.node.hidden = !card.name.toLowerCase().includes(wanted);
    by("no-cards").hidden = this.cards.some((card) => !card.node.hidden);
  }

  choose(names) {
    this.chosen = names;
    const count = names.length;
    by("chosen").textContent = count === 0 ? "" : `${count} chosen`;
    by("clear").hidden = count === 0;
    by("open-comparison").disabled = count < 2;
    for (const { node, name } of this.cards) {
      const box = node.querySelector("input");
      if (!box) continue;
      box.checked = names.includes(name);
      box.disabled = !box.checked && count >= MOST_COMPARED;
    }
    this.onChoice(names);
  }

  toggle(name, isChosen) {
    const others = this.chosen.filter((one) => one !== name);
    this.choose(isChosen ? [...others, name] : others);
  }

  node(card) {
    const title = element("h2", {}, pageLink(card));
    const parts = [this.picture(card), title, this.state(card), ...cardText(card), this.values(card)];
    if (card.entry !== null) parts.push(this.choice(card));
    if (card.previous?.length > 0) parts.push(this.previous(card));
    return element("li", { className: "card" }, ...parts);
  }

  picture({ shown, url, name, entry }) {
    const src = shown === null ? null : pictureURL(shown, url);
    const box = element("div", { className: "card-picture" });
    if (src === null) {
      box.textContent = entry === null ? "no snapshot yet" : "no picture";
      return box;
    }
    const alt = `${name} at ${epochName(shown)}`;
    const image = element("img", { loading: "lazy", decoding: "async", alt, src });
    image.onload = () => image.classList.toggle("enlarged", image.clientWidth > image.naturalWidth);
    image.onerror = () => {
      box.textContent = whyNotShown(shown);
    };
    box.append(image);
    return box;
  }

  state(card) {
    const { word, text } = cardState(card, this.now());
    const place = card.entry === null ? "" : epochName(card.entry);
    const texts = [place, text].filter(Boolean).join(" · ");
    const node = element("p", { className: "card-state" }, element("span", { className: "dot-state" }), texts);
    node.dataset.state = word;
    return node;
  }

  values({ entry }) {
    const numbers = numbersOf(entry ?? undefined).filter(([, value]) => isNumeric(value));
    const rows = numbers.slice(0, MOST_VALUES).map(([name, value]) => cardRow(name, value));
    const more = numbers.length - rows.length;
    const table = element("table", { className: "card-values" }, element("tbody", {}, ...rows));
    if (more > 0) table.append(element("caption", { textContent: `and ${more} more` }));
    return rows.length > 0 ? table : "";
  }

  choice({ name }) {
    const box = element("input", { type: "checkbox", className: "choice" });
    describe(box, `Compare ${name}`);
    box.addEventListener("change", () => this.toggle(name, box.checked));
    return element("label", { className: "card-choice" }, box, "Compare");
  }

  previous({ previous, name }) {
    const count = previous.length;
    const summary = count === 1 ? "1 earlier run in this folder" : `${count} earlier runs in this folder`;
    const items = previous.map((one) => {
      const epochs = one.entry === null ? "no snapshot" : epochName(one.entry);
      return element("li", {}, pageLink(one), ` ${epochs}`, ...cardText(one));
    });
    const list = element("ul", {}, ...items);
    describe(list, `Earlier runs of ${name}`);
    return element("details", { className: "card-previous" }, element("summary", { textContent: summary }), list);
  }
}

/* The run's name, which leads to its page where it has one. */
function pageLink({ name, url, has_page: hasPage }) {
  return hasPage ? element("a", { href: `${url}index.html`, textContent: name, className: "card-name" }) : name;
}

/* What is to be said of a run beside its values. */
function cardText({ odd, has_page: hasPage, path }) {
  const texts = [];
  if (odd) texts.push(element("p", { className: "is-odd", textContent: odd }));
  if (!hasPage && !odd) {
    const code = element("code", { textContent: `keras-image-saver page ${path}` });
    texts.push(element("p", { className: "card-note" }, "It has no page; this writes one: ", code));
  }
  return texts;
}

/* How many runs there are, and how many of them go on. */
function runsText(cards, now) {
  const going = cards.filter((card) => cardState(card, now).word === "running").length;
  const count = `${cards.length} ${cards.length === 1 ? "run" : "runs"}`;
  return going > 0 ? `${count}, ${going} running` : count;
}

function cardRow(name, value) {
  const cell = element("td", { textContent: valueText(value) });
  cell.classList.toggle("is-odd", typeof value !== "number");
  return element("tr", {}, element("th", { scope: "row", textContent: name }), cell);
}
