/* What of a picture is seen. A view is {zoom, x, y}: how much larger than where it fits, and what stands in
   the middle, in shares of the picture, so that it holds in windows and frames of any size. `size` is the
   picture's at zoom 1 and `room` that of its frame, both in CSS pixels. Neither document nor timer is
   used here, so that Node alone can test it. */

const HOME = Object.freeze({ zoom: 1, x: 0.5, y: 0.5 });
const PLAIN = Object.freeze({ brightness: 1, contrast: 1 }); // how a picture looks as it is
const ZOOM_STEP = 1.25;

/* How two pictures are compared. */
const STAGE_MODES = ["side", "swipe", "blink", "difference"];
const modeAfter = (mode) => STAGE_MODES[(STAGE_MODES.indexOf(mode) + 1) % STAGE_MODES.length];

const isHome = (view) => view.zoom === HOME.zoom && view.x === HOME.x && view.y === HOME.y;

/* How far zooming goes, for a picture of which a pixel is `scale` CSS pixels where it fits: in until single
   pixels are plain, out no further than where it fits. */
function zoomLimits(scale) {
  return { least: 1, most: Math.max(8, 64 / scale) };
}

/* [least, most] share that may stand in the middle, such that no more of the frame is left empty than
   must be. */
function tightBounds(zoom, length, space) {
  const half = space / (2 * length * zoom);
  return half >= 0.5 ? [0.5, 0.5] : [half, 1 - half];
}

const clamped = (share, [least, most]) => Math.min(most, Math.max(least, share));

/* What stands in the middle. A picture larger than its frame is seen from its top; one that is zoomed may
   leave some of the frame empty, as to keep what is under the pointer there. */
function middleOf(view, size, room, isTight = view.zoom <= 1) {
  const bounds = (length, space) => (isTight ? tightBounds(view.zoom, length, space) : [0, 1]);
  const down = bounds(size.height, room.height);
  return {
    x: clamped(view.x, bounds(size.width, room.width)),
    y: isHome(view) ? down[0] : clamped(view.y, down),
  };
}

/* Where the picture's corner stands in its frame, and how large it is. */
function placed(view, size, room) {
  const { x, y } = middleOf(view, size, room);
  return {
    left: room.width / 2 - x * size.width * view.zoom,
    top: room.height / 2 - y * size.height * view.zoom,
    zoom: view.zoom,
  };
}

function isLarger(view, size, room) {
  const { zoom } = view;
  return size.width * zoom > room.width + 1 || size.height * zoom > room.height + 1;
}

/* What is under the point (CSS pixels in the frame) stays there. */
function zoomedAbout(view, zoom, point, size, room) {
  const before = placed(view, size, room);
  const share = (place, start, length) => (place - start) / (length * view.zoom);
  const x = share(point.x, before.left, size.width);
  const y = share(point.y, before.top, size.height);
  const next = {
    zoom,
    x: x + (room.width / 2 - point.x) / (size.width * zoom),
    y: y + (room.height / 2 - point.y) / (size.height * zoom),
  };
  return { zoom, ...middleOf(next, size, room, zoom <= Math.max(1, view.zoom)) };
}

/* By CSS pixels, as the picture follows the pointer, to its edges. */
function pannedBy(view, across, down, size, room) {
  const { zoom } = view;
  const { x, y } = middleOf(view, size, room);
  const moved = (share, distance, length, space) => {
    const [least, most] = tightBounds(zoom, length, space);
    return clamped(share - distance / (length * zoom), [Math.min(least, share), Math.max(most, share)]);
  };
  return { zoom, x: moved(x, across, size.width, room.width), y: moved(y, down, size.height, room.height) };
}

/* The zoom a step in or out; one that is further out than where it fits is left by going in alone. */
function steppedZoom(zoom, factor, { least, most }) {
  return Math.min(most, Math.max(Math.min(least, zoom), zoom * factor));
}
