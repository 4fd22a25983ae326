// Draws the containers of the nodes over time. Wheel or + and - zoom, dragging or the arrow keys move, a double click or
// 0 shows all.
(() => {
  const data = JSON.parse(document.getElementById("timeline-data").textContent);
  const canvas = document.getElementById("timeline-canvas");
  const told = document.getElementById("told");
  const context = canvas.getContext("2d");
  const rows = data.rows.length, row = 16, left = 170, right = 32, bottom = 28, end = data.end;
  const shown = Math.min(rows, 45);
    const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name);
  const spans = data.spans.map(([row, kind, of, begin, end, served]) => ({ row, kind, of, begin, end, served }));
  // What is kept idle after the last run is seen on demand.
  const idle = data.kinds.findIndex(([name]) => name === "idle");
  const busy = spans.reduce((latest, span) => (span.kind === idle ? latest : Math.max(latest, span.end)), 0);
  let from = 0, to = busy > 0 ? Math.min(end, busy * 1.03) : end, top = 0, drag = null;
  const byRow = Array.from({ length: rows }, () => []);
  spans.forEach((span) => byRow[span.row].push(span));
  byRow.forEach((list) => list.sort((one, other) => one.begin - other.begin));

  // Steps between dates on the axis that are round in their unit.
  const steps = [-6, -5, -4, -3, -2, -1, 0, 1].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power))
    .filter((step) => step < 60)
    .concat([1, 2, 5, 10, 20, 30].map((minutes) => 60 * minutes))
    .concat([1, 2, 4, 8, 12, 24, 48, 120, 240].map((hours) => 3600 * hours));

  const width = () => canvas.clientWidth - left - right;
  const x = (time) => left + ((time - from) / (to - from)) * width();
  const time = (x) => from + ((x - left) / width()) * (to - from);

  function seconds(value) {
    if (value === 0) return "0";
    const units = [[3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"]];
    const [size, unit] = units.find(([size]) => Math.abs(value) >= size) || [1e-6, "µs"];
    return `${+(value / size).toPrecision(4)} ${unit}`;
  }

  // A date on an axis whose marks are so far apart, as h:mm:ss.
  function clock(date, step) {
    if (end < 60) return seconds(date);
    const digits = Math.max(0, Math.ceil(-Math.log10(Math.min(step, 1))));
    const [whole, part] = date.toFixed(digits).split(".");
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    const rest = part === undefined ? "" : "." + part;
    return `${Math.floor(whole / 3600)}:${two((whole % 3600) / 60)}:${two(whole % 60)}${rest}`;
  }

  // The first span of a row that ends after a date.
  function first(list, date) {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle].end < date) low = middle + 1; else high = middle;
    }
    return low;
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1, height = shown * row + bottom;
    canvas.style.height = height + "px";
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = height * ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.clientWidth, height);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    const step = steps.find((step) => (to - from) / step <= Math.max(2, width() / 110)) || steps[steps.length - 1];
    context.textAlign = "center";
    for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) {
      context.fillStyle = colour("grid");
      context.fillRect(x(tick), 0, 1, shown * row);
      context.fillStyle = colour("muted");
      context.fillText(clock(tick, step), x(tick), shown * row + bottom / 2);
    }
    const colours = data.kinds.map(([, variable]) => colour(variable));
    for (let line = 0; line < shown; line++) {
      const at = line + top, list = byRow[at], y = line * row;
      let painted = -1;
      for (let index = first(list, from); index < list.length && list[index].begin <= to; index++) {
        const span = list[index];
        const begin = Math.max(left, x(span.begin)), finish = Math.min(left + width(), x(span.end));
        // What is thinner than a pixel is seen once for each pixel.
        if (finish <= painted) continue;
        context.fillStyle = colours[span.kind];
        context.fillRect(begin, y + 1, Math.max(1, finish - begin), row - 2);
        painted = Math.max(finish, begin + 1);
      }
      const [node, container] = data.rows[at];
      const isFirst = line === 0 || data.rows[at - 1][0] !== node;
      context.textAlign = "right";
      context.fillStyle = colour(isFirst ? "ink" : "muted");
      context.fillText(isFirst ? `${node}, ${container}` : container, left - 8, y + row / 2, left - 12);
      if (isFirst) {
        context.fillStyle = colour("muted");
        context.fillRect(0, y, canvas.clientWidth, 1);
      }
    }
  }

  function zoom(factor, at) {
    const length = Math.min(end, Math.max(end / 1e7, (to - from) * factor));
    const share = (at - from) / (to - from);
    from = Math.min(Math.max(0, at - share * length), end - length);
    to = from + length;
    draw();
  }

  function move(times, rowsDown) {
    const length = to - from;
    from = Math.min(Math.max(0, from + times), end - length);
    to = from + length;
    top = Math.min(Math.max(0, Math.round(top + rowsDown)), rows - shown);
    draw();
  }

  function all() { from = 0; to = end; draw(); }

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.shiftKey) move(0, Math.sign(event.deltaY || event.deltaX) * 3);
    else zoom(event.deltaY > 0 ? 1.25 : 0.8, time(event.offsetX));
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.offsetX, y: event.offsetY, top };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", () => { drag = null; });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      move(((drag.x - event.offsetX) / width()) * (to - from), 0);
      top = Math.min(Math.max(0, Math.round(drag.top + (drag.y - event.offsetY) / row)), rows - shown);
      drag.x = event.offsetX;
      draw();
      return;
    }
    const at = Math.floor(event.offsetY / row) + top, date = time(event.offsetX);
    const list = byRow[at] || [], span = list[first(list, date)];
    const hit = span && span.begin <= date && Math.floor(event.offsetY / row) < shown;
    told.textContent = hit
      ? [
          `${data.functions[span.of]}: ${data.kinds[span.kind][0]} for ${seconds(span.end - span.begin)}`,
          `from ${seconds(span.begin)}`, span.served, `${data.rows[at][1]} of ${data.rows[at][0]}`,
        ].filter((part) => part).join(", ")
      : seconds(date);
  });
  canvas.addEventListener("dblclick", all);
  canvas.addEventListener("keydown", (event) => {
    const middle = (from + to) / 2, part = (to - from) / 8;
    const actions = {
      "+": () => zoom(0.8, middle), "=": () => zoom(0.8, middle), "-": () => zoom(1.25, middle), "0": all,
      ArrowLeft: () => move(-part, 0), ArrowRight: () => move(part, 0),
      ArrowUp: () => move(0, -3), ArrowDown: () => move(0, 3),
    };
    if (actions[event.key]) { event.preventDefault(); actions[event.key](); }
  });
  window.addEventListener("resize", draw);
  for (const media of ["(prefers-color-scheme: dark)", "print"]) window.matchMedia(media).addEventListener("change", draw);
  draw();
})();
