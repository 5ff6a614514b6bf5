/* Words for the document that every other file uses. */

const by = (id) => document.getElementById(id);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function svg(name, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/* Tell a screen reader what a node is. */
function describe(node, label, role) {
  node.setAttribute("aria-label", label);
  if (role) node.setAttribute("role", role);
}

function setSlider(slider, value, name) {
  slider.value = value;
  slider.setAttribute("aria-valuetext", name);
}
