// Wiring, and the first look.

function listen() {
  const on = (id, event, action) => $(id).addEventListener(event, action);
  for (const [id, action] of Object.entries({ fit: fitViolation, all: fitAll, in: () => zoom(.6), out: () => zoom(1 / .6), left: () => pan(-.25), right: () => pan(.25) })) on(id, "click", action);
  for (const id of ["client", "key", "lanes"]) on(id, "change", event => { view[id] = event.target.value; tip.hidden = true; rearrange(); });
  on("axis", "change", event => {
    const [from, to] = [instantAt(view.from), instantAt(view.to)], all = view.to - view.from > (extent()[1] - extent()[0]) * .95;
    view.axis = event.target.value;
    rearrange();
    if (all) fitAll(); else look(placeAt(from), placeAt(to));
  });
  on("dim", "change", event => { view.dim = event.target.checked; redraw(); });
  on("find", "keydown", event => { if (event.key === "Enter") find(event.target.value); });
  scroll.addEventListener("scroll", redraw);
  scroll.addEventListener("keydown", event => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? null : commands[event.key];
    if (action) { event.preventDefault(); action(); }
  });
  scroll.addEventListener("blur", () => { tip.hidden = true; });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); drawLegend(); redraw(); });
  new ResizeObserver(layout).observe(document.body);
}

// Over the names the wheel scrolls the lanes; over the time line it zooms about the pointer.
function listenToWheel() {
  chart.addEventListener("wheel", event => {
    if (event.offsetX < LABELS) return;
    event.preventDefault();
    tip.hidden = true;
    const pixels = event.deltaMode === 1 ? 24 : event.deltaMode === 2 ? 400 : 1, sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (sideways) pan(sideways * pixels / width);
    else zoom(Math.exp(Math.max(-200, Math.min(200, event.deltaY * pixels)) * .0025), toPlace(event.offsetX));
  }, { passive: false });
}

function listenToPointer() {
  let drag = null;
  chart.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    drag = { x: event.clientX, y: event.clientY, from: view.from, to: view.to, top: scroll.scrollTop, moved: false };
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", event => {
    if (drag) {
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      drag.moved ||= Math.hypot(dx, dy) > 3;
      if (!drag.moved) return;
      tip.hidden = true;
      chart.classList.add("dragged");
      const by = dx / (width - LABELS) * (drag.to - drag.from);
      look(drag.from - by, drag.to - by);
      scroll.scrollTop = drag.top - dy;
      return;
    }
    const op = hit(event.offsetX, event.offsetY), band = op ? null : bandAt(event.offsetX, event.offsetY);
    if (op || band) showTip(op ? about(op) : aboutBand(band), event.clientX, event.clientY);
    else tip.hidden = true;
  });
  chart.addEventListener("pointerup", event => {
    chart.classList.remove("dragged");
    if (drag && !drag.moved) {
      view.chosen = hit(event.offsetX, event.offsetY);
      redraw();
    }
    drag = null;
  });
  chart.addEventListener("pointercancel", () => { drag = null; chart.classList.remove("dragged"); });
  chart.addEventListener("pointerleave", () => { if (!drag) tip.hidden = true; });
  const seek = event => {
    if (!(event.buttons & 1)) return;
    const [low, high] = extent(), wide = view.to - view.from;
    const place = low + (event.offsetX - LABELS) / (overview.clientWidth - LABELS) * (high - low);
    look(place - wide / 2, place + wide / 2);
  };
  overview.addEventListener("pointerdown", event => { overview.setPointerCapture(event.pointerId); seek(event); });
  overview.addEventListener("pointermove", seek);
}

function drawLegend() {
  const y = 1, colour = ink.hues[0];
  const bar = (end, mode = "exclusive", dead = 26) => context => drawBar(context, { end, op: { request: { mode } } }, [2, 26, Math.max(26, dead)], y + 1, colour);
  const strip = kind => context => { glyph(context, kind, 20, 8, ink[kind]); };
  const shade = colour => context => { context.globalAlpha = .25; context.fillStyle = colour; context.fillRect(2, 0, 36, 20); context.globalAlpha = .6; hatch(context, 2, 0, 36, 20, colour, 9); };
  const marked = context => { Object.assign(context, { strokeStyle: ink.wrong, lineWidth: 2.5 }); context.strokeRect(3, 2, 34, 15); };
  const line = context => { Object.assign(context, { strokeStyle: ink.wrong, lineWidth: 1.5 }); context.setLineDash([6, 4]); context.moveTo(20, 1); context.lineTo(20, 20); context.stroke(); };
  const rows = [
    ...(core.length ? [[marked, "contradicts the others"]] : []),
    ...(impasse ? [[line, "the answer that nothing explains"]] : []),
    ...(clashes.length ? [[shade(ink.wrong), "certainly held twice"]] : []),
    [bar("released"), "lease, released"], [bar("expired", "exclusive", 37), "certain, then uncertain end"],
    ...(bars.some(each => each.op.request.mode !== "exclusive") ? [[bar("released", "shared"), "shared lease"]] : []),
    [context => drawWait(context, 2, 38, y, ink.granted), "waits in the queue"],
    [strip("refused"), "refused, lost"], [strip("unknown"), "effect unknown"], [strip("error"), "failed, revoked"], [strip("ok"), "read"],
    [context => { context.fillStyle = ink.granted; context.fillRect(2, 12, 36, 3); }, "from the request to the answer"],
    ...(faults.length ? [[shade(ink.fault), "fault"]] : []),
  ];
  const swatches = rows.map(([paint, words]) => {
    const canvas = element("canvas", null), made = element("span", null, canvas, words);
    canvas.setAttribute("aria-hidden", "true");
    paint(prepare(canvas, 40, 20));
    return made;
  });
  $("legend").replaceChildren(...swatches);
}

function describe() {
  $("counts").textContent = [counted(ops.length, "operation"), counted(clients.length, "client"), counted(keys.length, "key"), ...(faults.length ? [counted(faults.length, "fault")] : [])].join(", ");
  scroll.setAttribute("aria-label", `Time line: ${counted(ops.length, "operation")} of ${counted(clients.length, "client")}`);
  $("core").replaceChildren(...data.core.map((told, index) => {
    const button = element("button", null, element("b", String(index + 1)), element("span", told.words), ...(core[index] === impasse && core.length > 1 ? [element("em", "unexplained")] : []));
    button.addEventListener("click", () => { scroll.focus({ preventScroll: true }); fitViolation(); choose(core[index]); });
    return element("li", null, button);
  }));
  for (const [id, values] of [["client", clients], ["key", keys]]) {
    $(id).replaceChildren(new Option("all", ""), ...values.map(value => new Option(value, value)));
  }
  const facts = [["evidence", data.evidence], ["slack", data.slack], ["seed", data.seed], ["again", data.command]];
  $("facts").replaceWith(Object.assign(list(facts.filter(([, value]) => value)), { id: "facts" }));
  $("fit").disabled = core.length === 0;
  $("axis").value = view.axis;
}

readColours();
describe();
drawLegend();
listen();
listenToWheel();
listenToPointer();
rearrange();
if (ops.length > 40) fitViolation(); else fitAll();
draw();
