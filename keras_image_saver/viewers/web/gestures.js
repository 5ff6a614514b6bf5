/* Wheel, drag, pinch and keys over the stage, told to it as zooming and panning. */

const DRAG_START = 4; // CSS pixels that a click may move

/* What a focused control does itself with these keys. */
const hasOwnKeys = (node) => node.matches("input, select, textarea");

class Gestures {
  constructor(stage) {
    this.stage = stage;
    this.pointers = new Map(); // by id: where each was last
    this.hasMoved = false;
    const { root } = stage;
    root.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    root.addEventListener("pointerdown", (event) => this.press(event));
    root.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      root.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    root.addEventListener("click", (event) => this.click(event), { capture: true });
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("keyup", (event) => event.key === "b" && stage.blink(false));
    window.addEventListener("blur", () => stage.blink(false));
  }

  wheel(event) {
    const frame = this.stage.frameOf(event.target);
    if (!frame) return;
    const lines = event.deltaMode === 0 ? 1 : event.deltaMode === 1 ? 16 : 400;
    const [across, down] = [event.deltaX * lines, event.deltaY * lines];
    // What is seen in part is scrolled by the wheel, as a page is, and zoomed with Ctrl, as a pinch is.
    const moves = this.stage.isPanned && !event.ctrlKey;
    const changed = moves
      ? this.stage.panBy(frame, event.shiftKey ? -down : -across, event.shiftKey ? 0 : -down)
      : this.stage.zoomAt(frame, Math.exp(-down / 400), pointIn(frame, event));
    if (changed || event.ctrlKey) event.preventDefault(); // else the page scrolls
  }

  press(event) {
    const frame = this.stage.frameOf(event.target);
    const isPart = event.target.closest("[role=slider]") !== null;
    if (!frame || isPart || (event.pointerType === "mouse" && event.button !== 0)) return;
    if (this.pointers.size === 0) this.hasMoved = false;
    this.frame = frame;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    if (event.buttons === 0) return void this.pointers.delete(event.pointerId); // let go of elsewhere
    const now = { x: event.clientX, y: event.clientY };
    const isDrag = this.hasMoved || Math.hypot(now.x - before.x, now.y - before.y) > DRAG_START;
    if (!isDrag) return;
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, now);
    else if (this.stage.isLarger) this.stage.panBy(this.frame, now.x - before.x, now.y - before.y);
    else return;
    this.hasMoved = true;
    this.stage.root.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, now);
  }

  /* One of two fingers moved. */
  pinch(id, before, now) {
    const [other] = [...this.pointers].filter(([one]) => one !== id).map(([, place]) => place);
    const distance = (place) => Math.max(1, Math.hypot(place.x - other.x, place.y - other.y));
    const middle = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
    this.stage.zoomAt(this.frame, distance(now) / distance(before), pointIn(this.frame, middle));
    this.stage.panBy(this.frame, (now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  /* What ends a drag chooses no sample. */
  click(event) {
    if (!this.hasMoved || event.detail === 0) return;
    this.hasMoved = false;
    event.preventDefault();
    event.stopPropagation();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || hasOwnKeys(event.target)) return;
    const actions = {
      "+": () => this.stage.zoomBy(ZOOM_STEP),
      "=": () => this.stage.zoomBy(ZOOM_STEP), // where + needs a shift
      "-": () => this.stage.zoomBy(1 / ZOOM_STEP),
      0: () => this.stage.zoomHome(),
      1: () => this.stage.zoomActual(),
      b: () => this.stage.blink(true),
    };
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  }
}

/* CSS pixels from the corner of a frame's box. */
function pointIn(frame, { clientX, clientY }) {
  const { left, top } = frame.box.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}
