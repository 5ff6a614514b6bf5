/* What is told of the snapshot beside its picture: where it stands in the run, its numbers, and what of
   its logs is no number. */

function fileLink(entry) {
  const url = entry.file ? pictureURL(entry) : null;
  if (url === null) return entry.file ? String(entry.file) : "no file";
  // Beside the page, which is as one left it when one comes back.
  return element("a", { href: url, target: "_blank", rel: "noopener", textContent: entry.file });
}

function logRow(name, value) {
  const cell = element("td", { textContent: valueText(value) });
  cell.classList.toggle("is-odd", isNumeric(value) && typeof value !== "number");
  return element("tr", {}, element("th", { scope: "row", textContent: cutText(name) }), cell);
}

class Facts {
  constructor(onHistory, onSample) {
    this.charts = new Charts(by("charts"), { onPick: (_, place) => onHistory(place), onSample });
    by("charts-title").after(this.charts.choice);
  }

  /* What was removed has its numbers still. */
  set(history) {
    this.charts.set([{ name: "", color: null, entries: history }]);
    by("charts-section").hidden = this.charts.rows.size === 0;
  }

  /* `marked`: places in the history, of what is on the stage; the last one is told of. */
  draw(entry, marked) {
    by("epoch").textContent = entry.epoch ? `Epoch ${entry.epoch}` : epochName(entry);
    const batch = entry.batch ? `batch ${entry.batch}` : "";
    // A loop of one's own may count epochs alone; its steps are 0 then.
    const step = entry.epoch && entry.step === 0 ? "" : `step ${entry.step ?? "unknown"}`;
    by("step").textContent = [batch, step].filter(Boolean).join(", ");
    by("when").textContent = entry.time ? new Date(entry.time * 1000).toLocaleString() : "";
    by("file").replaceChildren(fileLink(entry));
    const others = Object.entries(entry.logs ?? {}).filter(([, value]) => !isNumeric(value));
    by("logs").replaceChildren(...others.map(([name, value]) => logRow(name, value)));
    by("logs-section").hidden = others.length === 0;
    this.charts.mark(marked.map((index) => ({ series: 0, index })));
  }
}
