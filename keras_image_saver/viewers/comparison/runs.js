/* Joins the parts: the data in the page, the list, the comparison, and what comes later. */

function embeddedData(id) {
  const block = by(id);
  return block === null ? null : JSON.parse(block.textContent);
}

class RunsPage {
  constructor() {
    this.data = embeddedData("data");
    this.isList = this.data.kind === "list";
    this.twins = new Twins(by("frames"));
    this.comparison = new Comparison();
    this.opened = ""; // the names that were compared last, as the address has them
  }

  start() {
    by("written").textContent = `as of ${new Date(this.data.written * 1000).toLocaleString()}`;
    drawUpToDate(this.data);
    if (this.isList) this.startList();
    else this.startComparison();
    addEventListener("popstate", () => this.readAddress());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.comparison.change((state) => state.stop());
    });
    this.pollForever();
  }

  startComparison() {
    const compared = this.data.runs.map((run, number) => {
      const values = onDemand(() => embeddedData(`values-${number}`) ?? []);
      return new ComparedRun(run.name, run.url, this.twins, run.has_page).embed(run, values);
    });
    this.showPart("comparison");
    this.comparison.open(compared);
  }

  startList() {
    const now = () => Date.now() / 1000;
    this.cards = new Cards(this.data.cards, { now, onChoice: () => {} });
    by("to-list").hidden = false;
    by("open-comparison").addEventListener("click", () => {
      const names = this.cards.chosen.map(encodedName).join(",");
      history.pushState(null, "", `#compare=${names}`);
      this.readAddress();
    });
    this.readAddress();
  }

  /* Show what the address asks for: the list, or runs of it side by side. */
  readAddress() {
    if (!this.isList) return this.comparison.readAddress();
    const names = runsInAddress(location.hash).filter((name) => this.cards.named(name)).slice(0, MOST_COMPARED);
    const opened = names.length > 1 ? JSON.stringify(names) : "";
    if (opened !== "" && opened === this.opened) return this.comparison.readAddress();
    this.opened = opened;
    if (opened !== "") return this.openComparison(names);
    this.comparison.close();
    this.showPart("list");
    by("title").textContent = document.title = folderName(new URL(".", location.href).pathname) || "Runs";
    by("about-runs").textContent = runsText(this.data.cards, Date.now() / 1000);
    return undefined;
  }

  /* The records of runs that were chosen from the list come from their folders. */
  async openComparison(names) {
    const cards = names.map((name) => this.cards.named(name));
    const compared = cards.map((card) => new ComparedRun(card.name, card.url, this.twins, card.has_page));
    this.showPart("comparison");
    by("title").textContent = names.join(" · ");
    this.comparison.view.drawEmpty("The runs' records are being read.");
    const newest = withResolver(); // of all runs, before older parts of any
    await Promise.all(compared.map((one) => one.start(newest.promise)));
    newest.resolve();
    const whole = Promise.all(compared.map((one) => one.whole));
    if (asksForPlace(location.hash)) await whole; // else the newest parts show all that is to be seen
    if (this.opened !== JSON.stringify(names)) return; // it was gone back from meanwhile
    this.comparison.open(compared, names);
    await whole;
    if (this.comparison.compared !== compared) return;
    this.comparison.renew();
    const missing = cards.filter((_, number) => compared[number].latest === null);
    if (missing.length > 0) drawNoRecords(missing, cards);
  }

  showPart(part) {
    by("notices").replaceChildren();
    by("same-samples").textContent = by("about-runs").textContent = "";
    by("list").hidden = part !== "list";
    by("comparison").hidden = part !== "comparison";
    by("to-list").hidden = !this.isList || part === "list";
    by("written").hidden = this.isList && part !== "list"; // the records are read from the runs just now
    document.body.classList.toggle("is-list", part === "list");
    scrollTo(0, 0);
  }

  /* Runs that are going on are asked, less often the longer nothing comes. */
  async pollForever() {
    let newest = this.newestMs();
    for (;;) {
      await sleep(askAgainMs("running", Date.now() - newest));
      if (document.hidden) continue;
      const isNew = await this.poll().catch(console.error); // a bad record must not end it
      if (isNew) newest = Date.now();
    }
  }

  /* When the newest of what is shown came: a run that was quiet before is asked less often at once. */
  newestMs() {
    const times = this.isList
      ? this.cards.cards.map(({ entry }) => newestTime([entry ?? {}]))
      : this.comparison.compared.map(({ run }) => newestTime(run.history));
    return 1000 * Math.max(0, ...times);
  }

  async poll() {
    if (!by("comparison").hidden) return this.comparison.poll();
    let isNew = false;
    for (const card of this.cards.cards) {
      const isSeen = !card.node.hidden && !document.hidden && by("comparison").hidden;
      if (isSeen && card.about.state === "running") {
        isNew = (await this.pollCard(card)) || isNew;
      }
    }
    return isNew;
  }

  async pollCard(card) {
    const part = (segment, file) => this.twins.load(`${card.url}${file}.html`, segment);
    const latest = await part("latest", "latest");
    if (latest === null || latest === card.latest) return false;
    const changes = cardChanges(await part("newest", "snapshots"));
    if (changes === null) return false;
    const about = await part("run", "run");
    if (about !== null) changes.about = runOf(about, card.url).about;
    this.cards.renew(card, { ...changes, latest });
    return true;
  }
}

function withResolver() {
  let resolve;
  const promise = new Promise((one) => (resolve = one));
  return { promise, resolve };
}

/* What is called once it is needed, and then kept. */
function onDemand(make) {
  let made = null;
  return () => (made ??= make());
}

function drawUpToDate({ command }) {
  const code = element("code", { textContent: command });
  by("up-to-date").replaceChildren("To bring this page up to date: ", code);
}

/* The browser shows no other folder's record to this page, or there is none for pages. */
function drawNoRecords(missing, cards) {
  const paths = cards.map((card) => card.path).join(" ");
  const text = `What is recorded of ${missing.map((card) => card.name).join(", ")} cannot be read here: the run has no page, or this browser lets no page read another folder. This writes a page that holds it: `;
  const code = element("code", { textContent: `keras-image-saver compare ${paths} --out compare.html` });
  by("notices").replaceChildren(element("p", { className: "notice" }, text, code));
}

const runsPage = new RunsPage();
runsPage.start();
