/* What of a picture is seen. A view is {zoom, x, y}: how much larger than where it fits, and what stands in
   the middle, in shares of the picture, so that it holds in windows and frames of any size. `size` is the
   picture's at zoom 1 and `room` that of its frame, both in CSS pixels. Neither document nor timer is
   used here, so that Node alone can test it. */

const HOME = Object.freeze({ zoom: 1, x: 0.5, y: 0.5 });
const PLAIN = Object.freeze({ brightness: 1, contrast: 1 }); // how a picture looks as it is
const ZOOM_STEP = 1.25;

const isHome = (view) => view.zoom === HOME.zoom && view.x === HOME.x && view.y === HOME.y;

/* How far zooming goes, for a picture of which a pixel is `scale` CSS pixels where it fits: in until single
   pixels are plain, out no further than where it fits. */
function zoomLimits(scale) {
  return { least: 1, most: Math.max(8, 64 / scale) };
}

/* The middle of what is seen, such that no more of the frame is left empty than must be. A picture larger
   than its frame is seen from its top. */
function middleOf(view, size, room) {
  const middle = (share, length, space, start) => {
    const half = space / (2 * length * view.zoom);
    if (half >= 0.5) return 0.5;
    return start ? half : Math.min(1 - half, Math.max(half, share));
  };
  return {
    x: middle(view.x, size.width, room.width, false),
    y: middle(view.y, size.height, room.height, isHome(view)),
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
  return { zoom, ...middleOf(next, size, room) };
}

/* By CSS pixels, as the picture follows the pointer. */
function pannedBy(view, across, down, size, room) {
  const { x, y } = middleOf(view, size, room);
  const next = {
    zoom: view.zoom,
    x: x - across / (size.width * view.zoom),
    y: y - down / (size.height * view.zoom),
  };
  return { zoom: view.zoom, ...middleOf(next, size, room) };
}

/* The zoom a step in or out; one that is further out than where it fits is left by going in alone. */
function steppedZoom(zoom, factor, { least, most }) {
  return Math.min(most, Math.max(Math.min(least, zoom), zoom * factor));
}
