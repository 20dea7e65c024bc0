// What the reader does: moving about, choosing, filtering.

const tip = $("tip");
let asked = false;

// Draws once per frame, however often it is asked to.
function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; draw(); });
}

function look(from, to) {
  const [low, high] = extent(), whole = high - low, least = view.axis === "time" ? Math.min(20, whole) : Math.min(3, whole);
  const wide = Math.min(Math.max(to - from, least), whole), middle = (from + to) / 2;
  view.from = Math.min(Math.max(middle - wide / 2, low), high - wide);
  view.to = view.from + wide;
  redraw();
}

function zoom(factor, place = (view.from + view.to) / 2) {
  look(place - (place - view.from) * factor, place + (view.to - place) * factor);
}

const pan = part => look(view.from + (view.to - view.from) * part, view.to + (view.to - view.from) * part);
const fitAll = () => look(...extent());

function fitViolation() {
  if (core.length === 0) return fitAll();
  const places = core.flatMap(op => [placeOf(op.invoked), placeOf(closing(op))]);
  clashes.forEach(clash => places.push(placeAt(clash.to)));
  const [from, to] = [Math.min(...places), Math.max(...places)], room = (to - from || 10) * .25;
  scroll.scrollTop = 0;
  look(from - room, to + room);
}

function layout() {
  const content = contentHeight();
  $("spacer").style.height = `${content}px`;
  const room = Math.max(260, innerHeight - scroll.offsetTop - 110);
  scroll.style.height = `${Math.min(content, room) + 2}px`;
  chart.style.height = `${scroll.clientHeight}px`;
  redraw();
}

function rearrange() {
  arrange();
  density.key = "";
  layout();
}

const visible = op => lanes.some(lane => lane.rows.has(homes.get(op)));

// The operation at a point of the chart.
function hit(x, y) {
  if (x < LABELS || y < AXIS) return null;
  const found = lanesShown().find(([lane, top]) => y >= top && y < top + laneHeight(lane));
  const row = found && Math.floor((y - rowTop(found[1], 0)) / TRACK), track = found?.[0].tracks[row];
  if (!track) return null;
  const slack = toPlace(x + 4) - toPlace(x), place = toPlace(x);
  const near = track.slice(Math.max(0, search(track, item => item.to < place - slack)), search(track, item => item.from <= place + slack));
  const item = near.find(each => each.from <= place && place <= each.to) ?? near[0];
  if (!item) return null;
  const low = y > rowTop(found[1], row) + BAR + 4;
  const under = item.ops.filter(op => placeOf(op.invoked) - slack <= place && place <= placeOf(closing(op)) + slack);
  return (low || !item.bar ? under.at(-1) : under.find(op => op.kind !== "granted" && op.kind !== "ok")) ?? item.bar?.op ?? item.ops[0];
}

const bandAt = (x, y) => faults.find(band => {
  const slack = toPlace(x + 3) - toPlace(x), inside = placeAt(band.from) - slack <= toPlace(x) && toPlace(x) <= placeAt(band.to) + slack;
  const lane = band.client && view.lanes === "client" && lanesShown().find(([each]) => each.name === band.client);
  return inside && x >= LABELS && y >= AXIS && (!band.client || lane && y >= lane[1] && y < lane[1] + laneHeight(lane[0]));
});

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text !== null) made.textContent = text;
  made.append(...children);
  return made;
}

const list = pairs => element("dl", null, ...pairs.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));

function showTip(children, x, y) {
  tip.replaceChildren(...children);
  tip.hidden = false;
  Object.assign(tip.style, { left: 0, top: 0 });
  const box = tip.getBoundingClientRect();
  const below = y + 18 + box.height <= innerHeight - 4;
  tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - box.width - 24))}px`;
  tip.style.top = `${below ? y + 18 : Math.max(8, y - box.height - TRACK - 8)}px`;
}

const title = op => `#${op.id} ${op.client} ${op.name.replace("_", " ")}`;
const about = op => [
  element("strong", title(op)),
  ...(op.number ? [element("em", core.length === 1 ? "wrong by itself" : `${op.number} of the ${core.length} that contradict each other`)] : []),
  ...(op === impasse ? [element("em", "nothing that may have happened explains this answer")] : []),
  list(details(op)),
];
const aboutBand = band => [element("strong", `fault: ${band.words}`), list([
  ["struck", band.client ?? "everybody"], ["from", instant(band.from)], ["to", instant(band.to)], ["for", span(band.to - band.from)],
])];

// Chooses an operation, brings it onto the screen and tells about it.
function choose(op) {
  view.chosen = op;
  tip.hidden = true;
  if (!op) return redraw();
  const [from, to] = [placeOf(op.invoked), placeOf(closing(op))], wide = view.to - view.from;
  if (from < view.from || Math.min(to, from + wide / 2) > view.to) look(from - wide / 2, from + wide / 2);
  const item = homes.get(op), index = lanes.findIndex(lane => lane.rows.has(item));
  if (index < 0) return redraw();
  const above = lanes.slice(0, index).reduce((sum, lane) => sum + laneHeight(lane), 0) + lanes[index].rows.get(item) * TRACK;
  if (above < scroll.scrollTop) scroll.scrollTop = above;
  if (above + AXIS + 2 * TRACK > scroll.scrollTop + height) scroll.scrollTop = above + AXIS + 2 * TRACK - height;
  const box = chart.getBoundingClientRect(), x = Math.max(LABELS, Math.min(toX(from), width));
  showTip(about(op), box.left + x, box.top + AXIS + above - scroll.scrollTop + TRACK);
  $("said").textContent = `${title(op)}: ${details(op).map(pair => pair.join(" ")).join(", ")}`;
  redraw();
}

function step(by) {
  let id = view.chosen ? view.chosen.id + by : by > 0 ? search(ops, op => placeOf(op.invoked) < view.from) : ops.length - 1;
  while (ops[id] && !visible(ops[id])) id += by;
  if (ops[id]) choose(ops[id]);
}

function find(text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return;
  const matches = op => `#${op.id}` === wanted || op.lease?.toLowerCase() === wanted || String(op.told.token ?? "") === wanted
    || wanted.length > 3 && String(op.told.token ?? "").endsWith(wanted);
  const after = (view.chosen?.id ?? -1) + 1;
  const found = [...ops.slice(after), ...ops.slice(0, after)].find(op => matches(op) && visible(op));
  if (found) choose(found); else $("said").textContent = `nothing is called ${text}`;
  $("find").setAttribute("aria-invalid", String(!found));
}

const commands = {
  "+": () => zoom(.6), "=": () => zoom(.6), "-": () => zoom(1 / .6), "0": fitAll, v: fitViolation, n: () => step(1), p: () => step(-1),
  ArrowLeft: () => pan(-.15), ArrowRight: () => pan(.15), ArrowUp: () => { scroll.scrollTop -= TRACK; }, ArrowDown: () => { scroll.scrollTop += TRACK; },
  Escape: () => choose(null),
};
