// What happened: the embedded data, with numbers made safe to count with.

const $ = id => document.getElementById(id);

// Numbers beyond 2^53 become strings, so that tokens stay whole.
const data = JSON.parse($("data").textContent
  .replace(/"(?:[^"\\]|\\.)*"|\d{16,}/g, part => part[0] === '"' ? part : `"${part}"`));

// Times are kept relative to the first of them; the page counts in doubles.
const origin = [...data.ops.map(op => op.invoked[1]), ...data.faults.map(band => band.from_ns)]
  .map(BigInt).reduce((least, at) => least === null || at < least ? at : least, null) ?? 0n;
const since = ns => Number(BigInt(ns) - origin);
const moment = pair => pair && { index: pair[0], at: since(pair[1]) };

const kinds = { granted: "granted", extended: "ok", downgraded: "ok", released: "ok", state: "ok", revoked: "ok",
  held: "refused", timed_out: "refused", lost: "refused", not_held: "refused" };

const ops = data.ops.map((raw, id) => {
  const name = Object.keys(raw.call)[0], call = raw.call[name], request = call.request ?? call;
  const outcome = raw.outcome === undefined ? null : typeof raw.outcome === "string" ? raw.outcome : Object.keys(raw.outcome)[0];
  const told = outcome && raw.outcome[outcome] || {};
  return {
    id, name, outcome, told, request, client: raw.client, keys: request.keys ?? [request.key], lease: request.lease,
    deadline: call.deadline_ns, kind: kinds[outcome] ?? (told.effect === "none" ? "error" : "unknown"),
    invoked: moment(raw.invoked), enqueued: moment(raw.enqueued), returned: moment(raw.returned), settled: moment(raw.settled),
    number: 0, bars: [],
  };
});

const core = data.core.map(told => ops[told.op]);
const impasse = data.impasse && ops[data.impasse.op];
core.forEach((op, index) => { op.number = index + 1; });

// The history's events in order: where time is needed from order, and back.
const events = ops.flatMap(op => [op.invoked, op.enqueued, op.returned, op.settled].filter(Boolean)).sort((a, b) => a.index - b.index);
events.forEach((event, rank) => { event.rank = rank; });
const last = events.at(-1)?.at ?? 0;

const bars = data.leases.map(raw => {
  const op = ops[raw.op];
  const bar = { ...raw, op, from: since(raw.from_ns), surely: since(raw.surely_ns), possibly: since(raw.possibly_ns) };
  bar.more = raw.more.map(id => ops[id]);
  [op, ...bar.more].forEach(each => each.bars.push(bar));
  return bar;
});
// Where the history ends, or a lease of the core soon after.
const end = Math.max(last, ...core.flatMap(op => op.bars.map(bar => bar.surely)).filter(at => at < last * 4));

const faults = data.faults.map(raw => {
  const from = since(raw.from_ns);
  return { ...raw, from, to: Math.max(from, Math.min(since(raw.to_ns), Math.max(last, from))) };
}).sort((a, b) => a.from - b.from);

// Where leases of the core certainly live together although the key allows only one of them.
const clashes = [];
const first = core.flatMap(op => op.bars.filter(bar => bar.op === op));
first.forEach((one, index) => first.slice(index + 1).forEach(two => {
  const from = Math.max(one.from, two.from), to = Math.min(one.surely, two.surely);
  const alone = [one, two].some(bar => bar.op.request.mode === "exclusive");
  if (one.key === two.key && alone && from < to) clashes.push({ from, to });
}));

const natural = new Intl.Collator("en", { numeric: true }).compare;
const distinct = values => [...new Set(values)].sort(natural);
const clients = distinct([...ops.map(op => op.client), ...faults.map(band => band.client).filter(Boolean)]);
const keys = distinct(ops.flatMap(op => op.keys));
const hue = new Map(keys.map((key, index) => [key, index % 6]));

// Tokens: whole if they are short, else what tells those of a key apart.
const prefixes = new Map();
for (const bar of bars) {
  const token = String(bar.token), known = prefixes.get(bar.key) ?? token;
  let same = 0;
  while (same < known.length && known[same] === token[same]) same += 1;
  prefixes.set(bar.key, known.slice(0, same));
}
function shortToken(bar) {
  const token = String(bar.token);
  if (token.length <= 6) return token;
  const own = Math.max(3, token.length - prefixes.get(bar.key).length);
  return "\u2026" + token.slice(-Math.min(own, 7));
}

const units = [["s", 1e9], ["ms", 1e6], ["\u00b5s", 1e3], ["ns", 1]];
const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const unitOf = ns => units.find(([, size]) => Math.abs(ns) >= size) ?? units[3];

// A span of time in the unit that fits, with at most four significant digits: 1.25 ms.
function span(ns) {
  const [name, size] = unitOf(ns);
  return `${Number((ns / size).toPrecision(4))} ${name}`;
}

const grouped = text => text.replace(/\B(?=(\d{3})+$)/g, "\u2009");

// An instant of the recorder's clock, exactly.
function instant(at) {
  const whole = BigInt(Math.round(at)) + origin;
  const text = grouped(whole.toString()) + " ns";
  return whole < 10000n ? text : `${span(Number(whole))} (${text})`;
}

function said(op) {
  const { told } = op;
  switch (op.outcome) {
    case null: return "never returned";
    case "granted": return `granted with token ${told.token}`;
    case "held": return { lease: "held", queue: "held for the queue", quarantine: "held in quarantine" }[told.reason];
    case "state": return told.leases.length ? `held by token ${told.leases.map(view => view.token).join(", ")}` : "free";
    case "revoked": return `${told.leases} revoked`;
    case "error": return `error${told.kind ? ` (${told.kind})` : ""}, effect ${told.effect}`;
    default: return op.outcome.replace("_", " ");
  }
}

function modeOf(request) {
  if (request.mode === undefined) return null;
  if (request.mode === "exclusive") return "exclusive";
  const limit = request.mode.shared.limit;
  return limit === undefined ? "shared" : `shared, ${request.permits ?? 1} of ${limit} permits`;
}

// All there is to say of an operation, as pairs.
function details(op) {
  const { request } = op, bar = op.bars.find(each => each.op === op) ?? op.bars[0];
  const ends = { expired: "by its ttl", released: "released", held: "released, within its minimum hold", revoked: "revoked", unknown: "perhaps given back" };
  return [
    ["answer", said(op)],
    ["lease", op.lease],
    [op.keys.length > 1 ? "keys" : "key", op.keys.join(", ")],
    ["mode", modeOf(request)],
    ["ttl", request.ttl_ns && span(Number(request.ttl_ns))],
    ["min. hold", request.min_hold_ns && span(Number(request.min_hold_ns))],
    ["asked", instant(op.invoked.at)],
    ["in the queue", op.enqueued && instant(op.enqueued.at)],
    ["answered", op.returned && `${instant(op.returned.at)}, after ${span(op.returned.at - op.invoked.at)}`],
    ["deadline", op.deadline && instant(since(op.deadline))],
    ["settled", op.settled && instant(op.settled.at)],
    ["token", bar && String(bar.token)],
    ["certain until", bar && instant(bar.surely)],
    ["at most until", bar && bar.possibly > bar.surely && instant(bar.possibly)],
    ["ended", bar && ends[bar.end]],
  ].filter(([, value]) => value);
}
