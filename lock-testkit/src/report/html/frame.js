// A frame costs at most one mark per three pixels and track, however many operations there are.

function drawTrack(track, y) {
  let index = search(track, item => item.to < view.from);
  while (index < track.length && track[index].from <= view.to) {
    const item = track[index], x = toX(item.from);
    if (toX(item.to) - x >= CELL) {
      drawItem(item, y, toX(track[index + 1]?.from ?? Infinity));
      index += 1;
      continue;
    }
    // Everything that begins and ends in these few pixels is one mark.
    const limit = toPlace(x + CELL);
    let next = Math.max(index + 1, search(track, each => each.from < limit));
    if (next - 1 > index && toX(track[next - 1].to) - toX(track[next - 1].from) >= CELL) next -= 1;
    if (next - index === 1) drawItem(item, y, toX(track[next]?.from ?? Infinity));
    else drawMany(item, x, y);
    index = next;
  }
}

function drawMany(item, x, y) {
  drawn += 1;
  ctx.fillStyle = item.bar ? ink.hues[hue.get(item.bar.key)] : ink.granted;
  ctx.fillRect(x, y + 3, CELL - .5, BAR);
  ctx.fillStyle = ink.granted;
  ctx.fillRect(x, y + BAR + 6, CELL, 3);
}

// What is marked lies above everything else.
function drawMark(lane, item, y) {
  drawItem(item, y, toX(lane.next.get(item) ?? Infinity));
  const from = clampX(toX(item.from)), to = clampX(toX(item.to));
  Object.assign(ctx, { strokeStyle: ink.wrong, lineWidth: 2.5 });
  ctx.strokeRect(from - 3, y, Math.max(to - from, 3) + 6, TRACK - 1);
}

// The number of an operation of the core, on its line from request to answer.
function drawNumber(op, y) {
  const x = (toX(placeOf(op.invoked)) + toX(placeOf(closing(op)))) / 2;
  if (x < LABELS || x > width) return;
  ctx.fillStyle = ink.wrong;
  ctx.beginPath();
  ctx.arc(x, y + TRACK - 5, 7.5, 0, 7);
  ctx.fill();
  Object.assign(ctx, { fillStyle: ink.ground, textAlign: "center", font: `bold ${FONT}` });
  ctx.fillText(op.number, x, y + TRACK - 4.5);
  ctx.font = FONT;
}

function drawLane(lane, y) {
  ctx.fillStyle = lane.index % 2 ? ink.ground : ink.lane;
  ctx.fillRect(LABELS, y, width, laneHeight(lane));
  if (view.lanes === "client") {
    const own = faults.filter(band => band.client === lane.name);
    own.forEach(band => drawBand(placeAt(band.from), placeAt(band.to), y, laneHeight(lane) - 1, ink.fault));
    drawWords(own, y + laneHeight(lane) - WORDS / 2 - 2);
  }
  ctx.globalAlpha = view.dim ? .3 : 1;
  lane.tracks.forEach((track, row) => {
    const top = rowTop(y, row);
    if (top + TRACK > AXIS && top < height) drawTrack(track, top);
  });
  ctx.globalAlpha = 1;
}

function drawName(lane, y) {
  const high = laneHeight(lane);
  ctx.fillStyle = ink.raised;
  ctx.fillRect(0, y, LABELS, high);
  ctx.fillStyle = ink.line;
  ctx.fillRect(0, y + high - 1, width, 1);
  ctx.fillRect(LABELS - 1, y, 1, high);
  if (lane.marked.length) { ctx.fillStyle = ink.wrong; ctx.fillRect(0, y, 4, high - 1); }
  label([lane.name], 10, Math.max(y, AXIS) + 17, LABELS - 18, ink.ink, true);
}

function drawChosen(lane, y) {
  const item = homes.get(view.chosen), row = lane.rows.get(item);
  if (row === undefined) return;
  const op = view.chosen, [from, to] = [clampX(toX(item.from)), clampX(toX(item.to))];
  const [asked, answered] = [clampX(toX(placeOf(op.invoked))), clampX(toX(placeOf(closing(op))))];
  Object.assign(ctx, { strokeStyle: ink.focus, fillStyle: ink.focus, lineWidth: 2 });
  ctx.strokeRect(from - 6, rowTop(y, row) - 2, Math.max(to - from, 3) + 12, TRACK + 3);
  ctx.fillRect(asked - 1, rowTop(y, row) + BAR + 5, Math.max(answered - asked, 2) + 2, 5);
}

function draw() {
  width = scroll.clientWidth;
  height = scroll.clientHeight;
  ctx = prepare(chart, width, height);
  drawn = 0;
  ctx.fillStyle = ink.ground;
  ctx.fillRect(0, 0, width, height);
  const shown = lanesShown(), below = height - AXIS;
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, AXIS, width, below);
  ctx.clip();
  shown.forEach(([lane, y]) => drawLane(lane, y));
  faults.filter(band => !band.client).forEach(band => drawBand(placeAt(band.from), placeAt(band.to), AXIS, below, ink.fault));
  clashes.forEach(clash => drawBand(placeAt(clash.from), placeAt(clash.to), AXIS, below, ink.wrong));
  if (impasse) drawImpasse(below);
  shown.forEach(([lane, y]) => lane.marked.forEach(item => drawMark(lane, item, rowTop(y, lane.rows.get(item)))));
  if (view.chosen) shown.forEach(([lane, y]) => drawChosen(lane, y));
  shown.forEach(([lane, y]) => lane.marked.forEach(item => item.ops.filter(op => op.number)
    .forEach(op => drawNumber(op, rowTop(y, lane.rows.get(item))))));
  shown.forEach(([lane, y]) => drawName(lane, y));
  ctx.restore();
  drawRuler();
  drawOverview();
}

// The answer that nothing explains.
function drawImpasse(high) {
  const x = toX(placeOf(closing(impasse)));
  if (x < LABELS || x > width) return;
  Object.assign(ctx, { strokeStyle: ink.wrong, lineWidth: 1.5 });
  ctx.setLineDash([6, 4]);
  ctx.beginPath();
  ctx.moveTo(x, AXIS);
  ctx.lineTo(x, AXIS + high);
  ctx.stroke();
  ctx.setLineDash([]);
}

// The lanes on the screen, each with where it begins.
function lanesShown() {
  const shown = [];
  let y = AXIS - scroll.scrollTop;
  for (const lane of lanes) {
    if (y + laneHeight(lane) > AXIS && y < height) shown.push([lane, y]);
    y += laneHeight(lane);
  }
  return shown;
}

// 1, 2 or 5 times a power of ten, at least this.
function nice(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map(factor => factor * power).find(step => step >= least * .999);
}

// How instants in this stretch are written: whole while that is short, else counted from an instant that is told once.
function writing(from, to, step) {
  const base = Number(origin), [name, size] = unitOf(Math.max(Math.abs(to + base), step));
  const digits = Math.max(0, Math.ceil(Math.log10(size / step) - 1e-9));
  if (digits <= 4) return { from: null, write: at => `${((at + base) / size).toFixed(digits)} ${name}` };
  const near = Math.floor(from / (step * 10)) * step * 10, [small, little] = unitOf(Math.max(to - near, 1));
  const fine = Math.max(0, Math.ceil(Math.log10(little / step) - 1e-9));
  return { from: near, write: at => `+${((at - near) / little).toFixed(fine)} ${small}` };
}

function drawRuler() {
  ctx.fillStyle = ink.raised;
  ctx.fillRect(0, 0, width, AXIS);
  ctx.fillStyle = ink.line;
  ctx.fillRect(0, AXIS - 1, width, 1);
  const order = view.axis === "order", wide = view.to - view.from;
  const step = Math.max(nice(wide / Math.max(2, (width - LABELS) / 105)), 1), [from, to] = [instantAt(view.from), instantAt(view.to)];
  const text = writing(from, to, order ? nice(Math.max(1, (to - from) / 20)) : step);
  for (let place = Math.ceil(view.from / step) * step; place <= view.to; place += step) {
    const x = toX(place);
    if (order && (place < 0 || place > events.length - 1) || x < LABELS) continue;
    ctx.fillStyle = ink.quiet;
    ctx.fillRect(x, RULER - 6, 1, 5);
    label([text.write(instantAt(place))], x + 3, 11, 98, ink.quiet, true);
  }
  const all = faults.filter(band => !band.client);
  drawWords(all, RULER + WORDS / 2 - 1);
  ctx.fillStyle = ink.raised;
  ctx.fillRect(0, 0, LABELS - 1, AXIS - 1);
  label([text.from === null ? (order ? "order of events" : "time") : `from ${instantShort(text.from)}`], 10, 12, LABELS - 14, ink.quiet, true);
  if (all.length) label(["faults"], 10, RULER + WORDS / 2 - 1, LABELS, ink.fault);
}

const instantShort = at => {
  const whole = BigInt(Math.round(at)) + origin, [name, size] = unitOf(Number(whole));
  return `${Number(whole / BigInt(size / 1e3 || 1)) / (size >= 1e3 ? 1e3 : 1)} ${name}`;
};

// The whole history in one strip: how many operations began where, what is marked, and what the chart shows.
let density = { key: "", counts: [] };

function countDensity(low, high, cells) {
  const key = [view.axis, view.client, view.key, cells].join();
  if (density.key === key) return density.counts;
  const counts = new Array(cells).fill(0);
  for (const lane of lanes) {
    for (const item of lane.items) {
      for (const op of item.ops) counts[Math.max(0, Math.min(cells - 1, Math.floor((placeOf(op.invoked) - low) / (high - low) * cells)))] += 1;
    }
  }
  density = { key, counts };
  return counts;
}

function drawOverview() {
  const wide = overview.clientWidth, high = 38, [low, top] = extent();
  const context = prepare(overview, wide, high);
  const x = place => LABELS + (place - low) / (top - low) * (wide - LABELS);
  context.fillStyle = ink.raised;
  context.fillRect(0, 0, wide, high);
  const cells = Math.max(1, Math.floor((wide - LABELS) / 2)), counts = countDensity(low, top, cells), most = Math.max(1, ...counts);
  context.fillStyle = ink.granted;
  counts.forEach((count, cell) => count && context.fillRect(LABELS + cell * 2, high - 3 - (high - 10) * Math.sqrt(count / most), 1.5, (high - 10) * Math.sqrt(count / most)));
  context.globalAlpha = .3;
  context.fillStyle = ink.fault;
  faults.forEach(band => context.fillRect(x(placeAt(band.from)), 0, Math.max(2, x(placeAt(band.to)) - x(placeAt(band.from))), high));
  context.globalAlpha = 1;
  context.fillStyle = ink.wrong;
  core.forEach(op => context.fillRect(x(placeOf(op.returned ?? op.invoked)) - 1, 0, 3, high));
  Object.assign(context, { strokeStyle: ink.focus, lineWidth: 2 });
  const [from, to] = [Math.max(x(view.from), LABELS), Math.min(x(view.to), wide)];
  context.strokeRect(from + 1, 1, Math.max(4, to - from - 2), high - 2);
  Object.assign(context, { fillStyle: ink.quiet, textAlign: "left" });
  context.fillText("overview", 10, high / 2);
}
