/* What is said of a run as a whole. It is data and may be anything, so nonsense has an answer too.
   Neither document nor timer is used here, so that Node alone can test it. */

const isLevel = (value) => Number.isInteger(value) && value >= 0 && value <= 255;
const isColor = (value) => Array.isArray(value) && value.length === 3 && value.every(isLevel);

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const textsIn = (value) => (Array.isArray(value) ? value.map(String) : []);

/* Panels that show the same at each snapshot, where the record does not tell. */
const FIXED_PANELS = ["input", "target"];

/* The name of the folder that a URL leads to, "" where it does not tell. */
function folderName(url) {
  const name = url.split(/[?#]/)[0].split("/").filter((part) => part && !/^\.+$/.test(part)).at(-1) ?? "";
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function classesIn(value) {
  const known = Array.isArray(value) ? value.filter((one) => isColor(one?.color)) : [];
  return known.map(({ id, name, color }) => ({ id: String(id), name: String(name), color }));
}

/* The run that `run.json` tells of, as text; `url` is that of its folder. */
function runOf(text, url, name = folderName(url)) {
  let about = {};
  try {
    about = JSON.parse(text);
  } catch {
    // There is none, as of runs of the first version.
  }
  if (!isObject(about)) about = {};
  const { settings, samples, captions, fixed_panels: fixed, class_panels: ofClasses } = about;
  return {
    name,
    url,
    about,
    state: typeof about.state === "string" ? about.state : "",
    samples: textsIn(settings?.sample_names),
    columns: isCount(settings?.columns) ? settings.columns : null,
    classes: classesIn(about.class_names),
    fixedPanels: Array.isArray(fixed) ? textsIn(fixed) : FIXED_PANELS,
    classPanels: textsIn(ofClasses),
    captions: isObject(captions) ? captions : {},
    digest: typeof samples?.digest === "string" ? samples.digest : "",
    count: isCount(samples?.count) ? samples.count : null,
  };
}

/* What the user calls a panel. */
function captionOf({ captions }, panel) {
  return typeof captions[panel] === "string" ? captions[panel] : panel;
}
