/* Two pictures over each other in a frame: the first over the second, up to where the handle stands, while a
   key is held, or as their difference. Swiping moves layers and draws nothing. */

const SWIPE_STEP = 0.02;

class Pair {
  constructor(frame) {
    this.frame = frame;
    this.mode = null;
    this.share = 0.5; // of the frame's width, where the handle stands
    this.handle = element("div", { className: "handle", tabIndex: 0 });
    describe(this.handle, "Where the two pictures meet", "slider");
    this.handle.append(element("span", { className: "grip" }));
    this.handle.addEventListener("pointerdown", (event) => {
      if (event.button === 0) this.handle.setPointerCapture(event.pointerId);
    });
    this.handle.addEventListener("pointermove", (event) => this.drag(event));
    this.handle.addEventListener("keydown", (event) => this.key(event));
    this.hold = element("button", { type: "button", className: "hold small" });
    for (const [name, isHeld] of [["pointerdown", true], ["pointerup", false], ["pointerleave", false]]) {
      this.hold.addEventListener(name, () => this.blink(isHeld));
    }
    for (const [name, isHeld] of [["keydown", true], ["keyup", false]]) {
      this.hold.addEventListener(name, (event) => this.holdByKey(event, isHeld));
    }
    this.hold.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch
  }

  /* `mode` null: there is one picture only. */
  set(mode, layers) {
    const { root, box, caption } = this.frame;
    if (mode === "blink") {
      this.hold.textContent = `Hold for ${layers[0].shown.shot.title}`;
      this.hold.title = "Or hold b";
    }
    if (mode === this.mode) return;
    this.mode = mode;
    root.dataset.mode = mode ?? "";
    this.blink(false);
    this.handle.remove();
    this.hold.remove();
    if (mode === "swipe") box.append(this.handle);
    if (mode === "blink") caption.append(this.hold);
    if (mode !== "swipe") this.move(0);
  }

  /* Where the picture stands in the frame now; the handle stays where it is. */
  place(place) {
    this.placed = place;
    if (this.mode !== "swipe") return;
    const { left, width, room } = place;
    const seen = Math.min(1, Math.max(0, (this.share * room.width - left) / width));
    this.move(seen - 1);
    this.handle.style.transform = `translateX(${this.share * room.width}px)`;
    this.handle.setAttribute("aria-valuenow", Math.round(100 * this.share));
  }

  /* Cut the upper picture off by moving its frame, in which it stays where it was. */
  move(share) {
    const [upper] = this.frame.layers;
    if (!upper) return;
    upper.root.style.transform = share ? `translateX(${100 * share}%)` : "";
    upper.inner.style.transform = share ? `translateX(${-100 * share}%)` : "";
  }

  swipeTo(share) {
    this.share = Math.min(1, Math.max(0, share));
    this.place(this.placed);
  }

  drag(event) {
    if (!this.handle.hasPointerCapture(event.pointerId)) return;
    const { left } = this.frame.box.getBoundingClientRect();
    this.swipeTo((event.clientX - left) / this.placed.room.width);
  }

  key(event) {
    const steps = { ArrowLeft: -SWIPE_STEP, ArrowRight: SWIPE_STEP, Home: -1, End: 1 };
    if (!Object.hasOwn(steps, event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation(); // elsewhere these keys choose the snapshot
    this.swipeTo(this.share + steps[event.key]);
  }

  blink(isHeld) {
    this.frame.root.classList.toggle("is-held", isHeld && this.mode === "blink");
  }

  holdByKey(event, isHeld) {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation(); // the space bar plays
    this.blink(isHeld);
  }
}
