// Where things are: positions along the axis, items (a lease or a lone operation) in tracks, tracks in lanes.

const view = { from: 0, to: 1, lanes: "client", axis: "time", client: "", key: "", dim: false, chosen: null };

// Many events at one instant (a virtual clock without latency) can only be told apart by their order.
const together = events.filter((event, rank) => rank > 0 && event.at === events[rank - 1].at).length;
if (together > events.length / 3) view.axis = "order";

// The first index for which `before` no longer holds; `list` is sorted by it.
function search(list, before) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(list[middle])) low = middle + 1; else high = middle;
  }
  return low;
}

const placeOf = event => view.axis === "time" ? event.at : event.rank;

// The place of an instant. In order of events it lies before the events of that instant, because a lease that ends
// then is dead for them.
function placeAt(at) {
  if (view.axis === "time") return at;
  const rank = search(events, event => event.at < at);
  if (rank === 0) return at === events[0]?.at ? -0.5 : -1;
  if (rank === events.length) return rank - 1 + Math.min(1, (at - last) / (last || 1)) * Math.max(2, rank * 0.05);
  const [one, two] = [events[rank - 1].at, events[rank].at];
  return at === two ? rank - 0.5 : rank - 1 + (at - one) / (two - one);
}

// The instant at a place, for the axis.
function instantAt(place) {
  if (view.axis === "time") return place;
  return events[Math.max(0, Math.min(events.length - 1, Math.round(place)))]?.at ?? 0;
}

const extent = () => {
  const [low, high] = view.axis === "time" ? [Math.min(0, ...faults.map(band => band.from)), end] : [0, Math.max(1, events.length - 1)];
  const room = (high - low || 1) * 0.03;
  return [low - room, high + room * 2];
};

// When an operation can no longer have happened; what never returned reaches to the end.
const closing = op => (op.kind === "unknown" ? op.settled : op.returned) ?? (op.returned ? op.returned : events.at(-1));

// Items: a lease bar with the operations that belong to it, or one operation by itself.
function makeItems() {
  const items = [], homes = new Map();
  for (const bar of bars) {
    const own = bar.more.filter(op => op.client === bar.op.client && op.invoked.at <= bar.possibly && !homes.has(op));
    const mine = homes.has(bar.op) ? own : [bar.op, ...own];
    const item = { bar, ops: mine, client: bar.op.client, keys: [bar.key] };
    mine.forEach(op => homes.set(op, item));
    items.push(item);
  }
  for (const op of ops) {
    if (!homes.has(op)) {
      const item = { bar: null, ops: [op], client: op.client, keys: op.keys };
      homes.set(op, item);
      items.push(item);
    }
  }
  return { items, homes };
}
const { items, homes } = makeItems();

// A released lease lies between the request for its release and the answer: on the axis of order these are events.
function endPlaces(bar) {
  const release = bar.more.find(op => op.outcome === "released" || op.outcome === "revoked");
  if (view.axis === "order" && release && ["released", "revoked"].includes(bar.end)) {
    return [Math.min(release.invoked.rank, Math.max(placeAt(bar.surely), bar.op.returned.rank)), release.returned.rank];
  }
  return [placeAt(bar.surely), placeAt(bar.possibly)];
}

function measure(item) {
  const { bar } = item;
  const starts = item.ops.map(op => placeOf(op.invoked)), ends = item.ops.map(op => placeOf(closing(op)));
  if (bar) {
    item.live = placeOf(bar.op.returned);
    [item.sure, item.dead] = endPlaces(bar);
    starts.push(item.live);
    ends.push(item.dead, item.live);
  }
  item.from = Math.min(...starts);
  item.to = Math.max(...ends);
  item.core = item.ops.some(op => op.number > 0) || bar?.op.number > 0;
}

let lanes = [];
const lane = name => ({ name, items: [], tracks: [[]], rows: new Map(), next: new Map(), marked: [], struck: false, index: 0 });

// Puts the items that pass the filter into lanes, and in each lane into tracks in which none overlaps another.
function arrange() {
  items.forEach(measure);
  const rows = new Map();
  for (const item of items) {
    if (view.client && item.client !== view.client || view.key && !item.keys.includes(view.key)) continue;
    const names = view.lanes === "client" ? [item.client] : view.key ? [view.key] : item.keys;
    for (const name of names) {
      if (!rows.has(name)) rows.set(name, lane(name));
      rows.get(name).items.push(item);
    }
  }
  if (view.lanes === "client" && !view.key) {
    for (const { client } of faults) {
      if (client && !rows.has(client) && (!view.client || client === view.client)) rows.set(client, lane(client));
    }
  }
  // What matters comes first, so that it is on the screen.
  rows.forEach(pack);
  lanes = [...rows.values()].sort((a, b) => (b.marked.length > 0) - (a.marked.length > 0) || natural(a.name, b.name));
  lanes.forEach((each, index) => { each.index = index; });
}

function pack(lane) {
  lane.items.sort((a, b) => a.from - b.from || a.to - b.to);
  const ends = [];
  for (const item of lane.items) {
    let track = ends.findIndex(until => until <= item.from);
    if (track < 0) track = ends.push(0) - 1;
    ends[track] = item.to;
    const row = lane.tracks[track] ??= [];
    if (row.length) lane.next.set(row.at(-1), item.from);
    row.push(item);
    lane.rows.set(item, track);
  }
  lane.struck = view.lanes === "client" && faults.some(band => band.client === lane.name);
  lane.marked = lane.items.filter(item => item.core);
}
