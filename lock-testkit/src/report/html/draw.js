// Drawing single things: bars, waits, answers, bands.

const LABELS = 118, RULER = 26, TRACK = 27, BAR = 15, GAP = 9, CELL = 3, WORDS = 14;
const FONT = "11px system-ui, 'Liberation Sans', sans-serif";
// Faults that struck everybody are told in a line of their own under the ruler.
const AXIS = RULER + (faults.some(band => !band.client) ? WORDS : 0);
const chart = $("chart"), overview = $("overview"), scroll = $("scroll");
let ctx = chart.getContext("2d"), ink = {}, width = 0, height = 0, drawn = 0;

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ["ground", "raised", "line", "faint", "ink", "quiet", "wrong", "fault", "focus", "refused", "granted", "unknown", "lane"]) {
    ink[name] = style.getPropertyValue(`--${name}`).trim();
  }
  ink.ok = ink.error = ink.quiet;
  ink.hues = style.getPropertyValue("--hues").trim().split(" ");
  ink.onHues = style.getPropertyValue("--on-hues").trim().split(" ");
}

// Fits a canvas to its place on the screen, and clears it.
function prepare(canvas, wide, high) {
  const ratio = devicePixelRatio || 1, [w, h] = [Math.round(wide * ratio), Math.round(high * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, wide, high);
  context.font = FONT;
  context.textBaseline = "middle";
  return context;
}

const toX = place => LABELS + (place - view.from) / (view.to - view.from) * (width - LABELS);
const toPlace = x => view.from + (x - LABELS) / (width - LABELS) * (view.to - view.from);
const clampX = x => Math.max(LABELS - 4, Math.min(width + 4, x));
const laneHeight = lane => lane.tracks.length * TRACK + GAP + (lane.struck ? WORDS : 0);
const rowTop = (y, row) => y + Math.ceil(GAP / 2) + row * TRACK;
const contentHeight = () => AXIS + lanes.reduce((sum, lane) => sum + laneHeight(lane), 0);

function hatch(context, x, y, wide, high, colour, step = 5) {
  if (wide <= 0) return;
  context.save();
  context.beginPath();
  context.rect(x, y, wide, high);
  context.clip();
  context.beginPath();
  for (let at = Math.floor((x - high) / step) * step; at < x + wide; at += step) {
    context.moveTo(at, y + high);
    context.lineTo(at + high, y);
  }
  Object.assign(context, { strokeStyle: colour, lineWidth: 1.2 });
  context.stroke();
  context.restore();
}

// The first of these texts that fits, else as much of the last as does if `cut`.
function label(texts, x, y, room, colour, cut = false) {
  let shown = texts.find(text => ctx.measureText(text).width <= room), last = texts.at(-1);
  if (shown === undefined && cut) shown = last.slice(0, Math.max(1, Math.floor(last.length * room / ctx.measureText(last).width) - 1)) + "\u2026";
  if (shown === undefined) return;
  Object.assign(ctx, { fillStyle: colour, textAlign: "left" });
  ctx.fillText(shown, x, y);
}

// Glyphs of answers without a lease: a ring refused, a diamond unknown, a cross failed, a dot read or done.
function glyph(context, kind, x, y, colour) {
  Object.assign(context, { strokeStyle: colour, fillStyle: colour, lineWidth: 1.8 });
  context.beginPath();
  if (kind === "refused") context.arc(x, y, 4, 0, 7);
  else if (kind === "unknown") { context.moveTo(x, y - 5); context.lineTo(x + 5, y); context.lineTo(x, y + 5); context.lineTo(x - 5, y); context.closePath(); }
  else if (kind === "error") { context.moveTo(x - 4, y - 4); context.lineTo(x + 4, y + 4); context.moveTo(x - 4, y + 4); context.lineTo(x + 4, y - 4); }
  else { context.arc(x, y, 2.5, 0, 7); context.fill(); }
  context.stroke();
}

// A lease: solid (shared: pale) while it certainly lives, hatched while it may; the end says how it ended.
function drawBar(context, bar, [live, sure, dead], y, colour) {
  const solid = Math.max(live, sure), rest = Math.max(solid, dead);
  context.fillStyle = colour;
  if (bar.op.request.mode !== "exclusive") {
    context.save();
    context.globalAlpha *= .4;
    context.fillRect(live, y, Math.max(solid - live, 2), BAR);
    context.restore();
    Object.assign(context, { strokeStyle: colour, lineWidth: 1 });
    context.strokeRect(live + .5, y + .5, Math.max(rest - live - 1, 1), BAR - 1);
  } else context.fillRect(live, y, Math.max(solid - live, 2), BAR);
  hatch(context, solid, y, rest - solid, BAR, colour);
  Object.assign(context, { strokeStyle: colour, lineWidth: 1 });
  if (rest - solid > 2) context.strokeRect(solid, y + .5, rest - solid, BAR - 1);
  if (rest - live < 12) return;
  context.fillStyle = ink.ink;
  if (bar.end === "released" || bar.end === "held") context.fillRect(rest - 1.5, y - 1, 3, BAR + 2);
  else if (bar.end === "revoked") glyph(context, "error", rest, y + BAR / 2, ink.ink);
  else { context.fillRect(rest - .5, y - 1, 1, BAR + 2); context.fillRect(rest - 3, y - 1, 6, 1); context.fillRect(rest - 3, y + BAR, 6, 1); }
}

function drawWait(context, from, to, y, colour) {
  Object.assign(context, { strokeStyle: colour, lineWidth: 2 });
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(from, y + BAR / 2);
  context.lineTo(to, y + BAR / 2);
  context.stroke();
  context.setLineDash([]);
}

function barTexts(bar) {
  const name = view.lanes === "client" ? (keys.length > 1 ? `${bar.key} ` : "") : `${bar.op.client} `;
  const token = shortToken(bar), ttl = span(Number(bar.ttl_ns));
  return [`${name}token ${token} \u00b7 ttl ${ttl}`, `${name}${token} \u00b7 ${ttl}`, `${name}${token}`, token];
}

// An item up to where the next one of its track begins.
function drawItem(item, y, next) {
  drawn += 1;
  const top = y + 3, room = Math.min(next, width) - 4, crowded = next - toX(item.from) < 9;
  for (const op of item.ops) {
    const from = clampX(toX(placeOf(op.invoked))), to = clampX(toX(placeOf(closing(op)))), colour = ink[op.kind];
    if (to < LABELS || from > width) continue;
    ctx.fillStyle = colour;
    ctx.fillRect(from, top + BAR + 3, Math.max(to - from, 2), 3);
    if (op.name === "acquire" && to - from > 6) drawWait(ctx, clampX(toX(placeOf(op.enqueued ?? op.invoked))), to, top, colour);
    if (op.kind === "granted" || item.bar && op.kind === "ok") continue;
    if (crowded) ctx.fillRect(to - 1, top + 2, 2, BAR - 4);
    else glyph(ctx, op.kind, to, top + BAR / 2, colour);
    if (!item.bar) label([said(op)], to + 8, top + BAR / 2 + .5, room - to - 8, ink.quiet);
  }
  if (item.bar) drawLease(item, top);
}

function drawLease({ bar, live, sure, dead }, top) {
  const places = [live, sure, dead].map(place => clampX(toX(place))), index = hue.get(bar.key), single = bar.op.request.mode === "exclusive";
  drawBar(ctx, bar, places, top, ink.hues[index]);
  const left = Math.max(places[0], LABELS);
  label(barTexts(bar), left + 5, top + BAR / 2 + .5, places[1] - left - 9, single ? ink.onHues[index] : ink.ink);
}

function drawBand(from, to, y, high, colour) {
  const [x, until] = [clampX(toX(from)), clampX(toX(to))];
  if (until < LABELS || x > width) return;
  ctx.globalAlpha = .16;
  ctx.fillStyle = colour;
  ctx.fillRect(x, y, Math.max(until - x, 2), high);
  ctx.globalAlpha = .5;
  hatch(ctx, x, y, Math.max(until - x, 2), high, colour, 9);
  ctx.globalAlpha = 1;
}

// The words of bands, each as far as the next one leaves room.
function drawWords(bands, y) {
  bands.forEach((band, index) => {
    const x = Math.max(clampX(toX(placeAt(band.from))), LABELS) + 3, next = bands[index + 1];
    const room = (next ? toX(placeAt(next.from)) : width) - x - 4;
    if (toX(placeAt(band.to)) >= LABELS && x < width && room > 12) label([band.words], x, y, room, ink.fault, true);
  });
}
