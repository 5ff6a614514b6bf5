/* Where tiles stand on the stage. A frame is a picture of its own there: that of a shot, or of a panel that
   all shots share. All frames have the same columns and the same scale, so that a sample stands at the
   same place in each. Lengths are in pixels of the pictures; those of the window (CSS pixels) say so.
   Neither document nor timer is used here, so that Node alone can test it. */

const GAP = { panel: 2, sample: 8, tile: 4, frame: 12 }; // CSS pixels; `tile` where a sample is one tile
const LEAST_TILE = 44; // CSS pixels: what a finger can hit
const LEAST_TEXT = { width: 5, height: 4 }; // lines' heights of a sample under which a line is worth its room
const MOST_SIDE = 16384; // of a canvas
const MOST_AREA = 2 ** 24;

/* The scale in whole device pixels a pixel, where that wastes little. */
function wholeScale(scale, ratio) {
  const whole = Math.floor(scale * ratio + 1e-6);
  return whole >= 1 && whole / (scale * ratio) > 0.85 ? whole / ratio : scale;
}

/* What is to be laid out:
     count    samples
     columns  how many of them a row has; null: as many as makes tiles the largest
     tile     {width, height}
     panels   how many panels each frame has of a sample
     room     {width, height} of the stage in the window
     ratio    device pixels a CSS pixel
     caption  CSS pixels above each frame
     line     CSS pixels of a line of text
     under    {panel, cell} CSS pixels under each panel and each sample; `cell` null: a line where it has room */
function layoutOf(wish) {
  const bare = { ...wish, under: { ...wish.under, cell: wish.under.cell ?? 0 } };
  const plain = largest(bare);
  const tile = Math.min(wish.tile.width, wish.tile.height);
  if (wish.count > 1 && plain.scale * tile < LEAST_TILE) return finished(bare, panned(bare));
  if (wish.under.cell !== null) return finished(bare, plain);
  const lined = { ...wish, under: { ...wish.under, cell: wish.line } };
  const withText = largest(lined);
  return hasRoomForText(wish, withText) ? finished(lined, withText) : finished(bare, plain);
}

function hasRoomForText(wish, { scale, most }) {
  const { width, height } = cellOf(wish, Math.min(...wish.panels), most, { panel: 0, under: 0 });
  return width * scale >= LEAST_TEXT.width * wish.line && height * scale >= LEAST_TEXT.height * wish.line;
}

/* How many panels of a sample stand side by side, at most so many, and how many below one another. */
function sidesOf(panels, most) {
  const side = Math.min(panels, most);
  return [side, Math.ceil(panels / side)];
}

/* The size of a sample. */
function cellOf({ tile }, panels, most, gaps) {
  const [across, down] = sidesOf(panels, most);
  return {
    width: across * tile.width + (across - 1) * gaps.panel,
    height: down * (tile.height + gaps.under) + (down - 1) * gaps.panel,
  };
}

function gapBetween({ panels }) {
  return Math.max(...panels) > 1 ? GAP.sample : GAP.tile;
}

/* The scale at which some columns fit; `gaps` are pixels, or CSS pixels, which do not grow. */
function scaleOf(wish, columns, { across, most }) {
  const rows = Math.ceil(wish.count / columns);
  const sum = (lengths) => lengths.reduce((total, one) => total + one, 0);
  const gap = gapBetween(wish);
  const others = (wish.panels.length - 1) * GAP.frame;
  const tiles = wish.panels.map((panels) => cellOf(wish, panels, most, { panel: 0, under: 0 }));
  const rest = wish.panels.map((panels) => {
    const [side, tall] = sidesOf(panels, most);
    return {
      width: columns * (side - 1) * GAP.panel + (columns - 1) * gap,
      height:
        rows * ((tall - 1) * GAP.panel + tall * wish.under.panel + wish.under.cell) +
        (rows - 1) * gap +
        wish.caption,
    };
  });
  const widths = tiles.map((cell) => columns * cell.width);
  const heights = tiles.map((cell) => rows * cell.height);
  const { width, height } = wish.room;
  const side = across
    ? (width - others - sum(rest.map((one) => one.width))) / sum(widths)
    : Math.min(...widths.map((one, frame) => (width - rest[frame].width) / one));
  const tall = across
    ? Math.min(...heights.map((one, frame) => (height - rest[frame].height) / one))
    : (height - others - sum(rest.map((one) => one.height))) / sum(heights);
  return { side, tall };
}

/* Of all ways to lay them out, the one whose tiles are the largest; of equal ones the fullest. */
function largest(wish) {
  const [fewest, mostColumns] = wish.columns ? [wish.columns, wish.columns] : [1, wish.count];
  let best = { scale: 0, columns: fewest, across: true, most: 1 };
  for (const way of ways(wish)) {
    for (let columns = fewest; columns <= mostColumns; columns++) {
      const { side, tall } = scaleOf(wish, columns, way);
      const scale = Math.min(side, tall);
      if (scale > best.scale * 1.001) best = { ...way, columns, scale };
      if (side < tall) break; // more columns make it smaller yet
    }
  }
  return best.scale > 0 ? best : { ...best, scale: 0.01 }; // a window without room
}

/* Frames of unlike many panels have them such that a sample's row, or column, is the same in each,
   where there is more than one sample. */
function ways({ panels, count }) {
  const across = panels.length > 1 ? [true, false] : [true];
  const most = Math.max(...panels);
  if (count > 1 && new Set(panels).size > 1) return [{ across: true, most }, { across: false, most: 1 }];
  return across.flatMap((one) => Array.from({ length: most }, (_, less) => ({ across: one, most: most - less })));
}

/* Columns that fill the width with tiles just large enough; what does not fit below is panned to. */
function panned(wish) {
  const least = LEAST_TILE / Math.min(wish.tile.width, wish.tile.height);
  const across = wish.panels.length === 1 || wish.room.width >= wish.room.height;
  const fits = (columns, most) => scaleOf(wish, columns, { across, most }).side >= least;
  const all = ways(wish).filter((way) => way.across === across);
  let columns = wish.columns ?? 1;
  const { most } = all.find((way) => fits(columns, way.most)) ?? all.at(-1);
  while (!wish.columns && columns < wish.count && fits(columns + 1, most)) columns++;
  const { side } = scaleOf(wish, columns, { across, most });
  return { across, most, columns, scale: Math.max(side, 0.01), isPanned: true };
}

/* Gaps become whole pixels, so that each tile is drawn pixel by pixel. */
function finished(wish, { across, most, columns, scale: found, isPanned = false }) {
  const whole = (length, scale) => (length > 0 ? Math.max(1, Math.round(length / scale)) : 0);
  const first = wholeScale(found, wish.ratio);
  const panel = whole(GAP.panel, first);
  const gap = Math.max(whole(gapBetween(wish), first), Math.max(...wish.panels) > 1 ? panel + 1 : 1);
  const under = {
    panel: Math.ceil(wish.under.panel / first),
    cell: Math.ceil(wish.under.cell / first),
  };
  const rows = Math.ceil(wish.count / columns);
  const frames = wish.panels.map((panels) => {
    const cell = cellOf(wish, panels, most, { panel, under: under.panel });
    const step = { x: cell.width + gap, y: cell.height + under.cell + gap };
    return { panels, cell, step, width: columns * step.x - gap, height: rows * step.y - gap };
  });
  const fits = scaleThatFits(wish, frames, across, isPanned);
  const least = LEAST_TILE / Math.min(wish.tile.width, wish.tile.height);
  const even = wholeScale(fits, wish.ratio);
  const scale = isPanned && even < least ? fits : even;
  const largestFrame = frames.reduce((one, other) => (other.width > one.width ? other : one));
  return {
    columns,
    rows,
    across,
    isPanned,
    scale,
    tile: wish.tile,
    under,
    frames,
    density: densityOf(largestFrame),
    cornerOf: (frame, place) => [
      (place % columns) * frames[frame].step.x,
      Math.floor(place / columns) * frames[frame].step.y,
    ],
    /* From a sample's corner to that of one of its panels. */
    offsetOf: (number) => [
      (number % most) * (wish.tile.width + panel),
      Math.floor(number / most) * (wish.tile.height + under.panel + panel),
    ],
  };
}

function scaleThatFits({ room, caption }, frames, across, isPanned) {
  const others = (frames.length - 1) * GAP.frame;
  const sum = (side) => frames.reduce((total, frame) => total + frame[side], 0);
  const most = (side) => Math.max(...frames.map((frame) => frame[side]));
  const side = across ? (room.width - others) / sum("width") : room.width / most("width");
  const tall = across
    ? (room.height - caption) / most("height")
    : (room.height - others - frames.length * caption) / sum("height");
  return Math.max(0.005, isPanned ? side : Math.min(side, tall));
}

/* Pixels of the canvas a pixel: 1, but for what no browser draws. */
function densityOf({ width, height }) {
  const side = MOST_SIDE / Math.max(width, height);
  return Math.min(1, side, Math.sqrt(MOST_AREA / (width * height)));
}
