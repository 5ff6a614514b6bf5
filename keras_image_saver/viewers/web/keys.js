/* Which keys a page answers to. Neither document nor timer is used here. */

/* What a focused control does with keys of its own, by its tag. */
const OWN_KEYS = {
  INPUT: (key, { type }) => /^(Arrow|Home|End)/.test(key) || (key === " " && type === "checkbox"),
  SELECT: (key) => key !== "Escape",
  BUTTON: (key) => key === " ",
  SUMMARY: (key) => key === " ",
};

/* Whether a key is one of those that the page knows, and neither the browser's nor the control's. */
function isForPage({ key, target, ctrlKey, metaKey, altKey }, keys) {
  const isOurs = Object.hasOwn(keys, key) && !OWN_KEYS[target.tagName]?.(key, target);
  return isOurs && !ctrlKey && !metaKey && !altKey;
}
