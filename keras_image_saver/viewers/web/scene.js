/* Which frames a scene has: one a shot, or one of two shots over each other, and before them one of each
   panel that all shots share. Neither document nor timer is used here, so that Node alone can test it. */

/* A picture of which the record does not tell where its tiles are: one tile. */
function wholePicture({ width, height }) {
  return { count: 1, width, height, panels: [""], slices: [], corner: () => [0, 0] };
}

/* What keeps a shot from being shown, or "". `size` is that of its picture, null where there is none. */
function problemOf({ entry }, size, sample) {
  if (!entry.file) return whyMissed(entry);
  if (size === null) return whyNotShown(entry);
  const tiles = tilesOf(entry);
  if (sample === null) return "";
  if (tiles === null) return "The record does not tell where this snapshot's tiles are.";
  return sample < tiles.count ? "" : `This snapshot has ${tiles.count} samples only.`;
}

/* Each shot with its tiles and panels: all pictures whole, if the tiles of one are unknown. */
function shownOf({ shots, sample }, sizes) {
  const found = shots.map((shot, number) => {
    const problem = problemOf(shot, sizes[number], sample);
    return { shot, number, problem, tiles: problem ? null : tilesOf(shot.entry) };
  });
  const isWhole = found.some((one) => !one.problem && one.tiles === null);
  if (!isWhole) return found;
  return found.map((one) => ({ ...one, tiles: one.problem ? null : wholePicture(sizes[one.number]) }));
}

/* Whether the shots are of the same samples: of one run, or of runs that were shown the same. */
function haveSameSamples(shots) {
  const [{ run }] = shots;
  return shots.every(
    (shot) => shot.run === run || shot.run.url === run.url || (run.digest && shot.run.digest === run.digest),
  );
}

/* The panels that stand there once. No shot is left without a panel of its own. */
function sharedPanels(shown) {
  const whole = shown.filter((one) => !one.problem);
  if (shown.length < 2 || whole.length === 0 || !haveSameSamples(shown.map((one) => one.shot))) return [];
  const [{ tiles, shot }] = whole;
  const isShared = (name) =>
    shot.run.fixedPanels.includes(name) && whole.every((one) => one.tiles.panels.includes(name));
  const shared = tiles.panels.filter(isShared);
  const keepOne = whole.every((one) => one.tiles.panels.some((name) => !shared.includes(name)));
  return keepOne ? shared : [];
}

/* [{key, title, color, panels, layers: [{shown, panels}], problem}]: what the panels of a frame are called, and
   which each layer draws there, by their numbers in its picture; -1 for one that it has not. */
function framesOf({ shots, mode }, shown) {
  const shared = sharedPanels(shown);
  const source = shown.find((one) => !one.problem);
  const numbers = (one, names) => names.map((name) => one.tiles?.panels.indexOf(name) ?? -1);
  const called = (one, names) => names.map((name) => captionOf(one.shot.run, name));
  const frames = shared.map((name) => ({
    key: `panel ${name}`,
    title: captionOf(source.shot.run, name),
    color: null,
    panels: called(source, [name]),
    layers: [{ shown: source, panels: numbers(source, [name]) }],
    problem: "",
    isShared: true,
  }));
  const own = (one) => one.tiles?.panels.filter((name) => !shared.includes(name)) ?? [];
  const isOver = shots.length === 2 && mode !== "side" && mode !== null;
  const groups = isOver ? [shown] : shown.map((one) => [one]);
  const fallback = source ? own(source) : [""];
  for (const group of groups) {
    const names = [...new Set(group.flatMap(own))];
    const panels = names.length ? names : fallback;
    const gap = group.find((one) => one.problem);
    frames.push({
      key: group.map((one) => one.shot.key).join(" "),
      title: titleOf(group, mode),
      color: group.length === 1 ? group[0].shot.color : null,
      panels: called(group[0], panels),
      layers: gap ? [] : group.map((one) => ({ shown: one, panels: numbers(one, panels) })),
      problem: gap ? (isOver ? `${gap.shot.title}: ${gap.problem}` : gap.problem) : "",
    });
  }
  return frames;
}

function titleOf(group, mode) {
  const titles = group.map((one) => one.shot.title);
  if (group.length === 1 || mode === "blink") return titles.at(-1);
  return titles.join(mode === "difference" ? " \u2212 " : " | ");
}

/* What a layout is to be made of: a line of text stands under a sample that has a name or numbers. */
function wishOf(scene, shown, frames, { room, ratio, caption, line, name }) {
  const whole = shown.filter((one) => !one.problem);
  const most = (of, least) => Math.max(least, ...whole.map((one) => of(one.tiles)));
  const isAlone = scene.sample !== null;
  const isNamed = frames.some((frame) => frame.panels.length > 1) || whole.some((one) => one.tiles.slices.length);
  const hasNumbers = whole.some((one) => Object.keys(one.shot.entry.metrics ?? {}).length > 0);
  const hasNames = whole.some((one) => one.shot.run.samples.length > 0);
  const count = isAlone ? 1 : most((tiles) => tiles.count, 1);
  const columns = [...new Set(whole.map((one) => one.shot.run.columns))]; // as the user wants it, where runs agree
  const isTold = frames.length > 1 || frames[0].layers.length > 1 || (!isAlone && frames[0].panels.length > 1);
  return {
    count,
    columns: columns.length === 1 && columns[0] ? Math.min(columns[0], count) : null,
    tile: { width: most((tiles) => tiles.width, 1), height: most((tiles) => tiles.height, 1) },
    panels: frames.map((frame) => frame.panels.length),
    room,
    ratio,
    caption: isTold ? caption : 0,
    line,
    under: isAlone ? { panel: isNamed ? name : 0, cell: hasNumbers ? name : 0 } : { panel: 0, cell: hasNames || hasNumbers ? null : 0 },
  };
}

/* Why there may be magenta in a picture: what tells of values that are not finite. */
function notFiniteText({ logs = {}, metrics = {} }) {
  const ofLogs = Object.entries(Object(logs)).filter(([, value]) => isNumeric(value) && typeof value !== "number");
  const ofSamples = Object.entries(Object(metrics)).filter(([, found]) => unknownText(found));
  const found = [
    ...ofLogs.map(([name, value]) => `${name} is ${value}`),
    ...ofSamples.map(([name, { nan }]) => `${name} is NaN for ${nan} ${nan === 1 ? "sample" : "samples"}`),
  ];
  return found.length ? `${found.join(", ")}. Magenta pixels are values that are not finite.` : "";
}
