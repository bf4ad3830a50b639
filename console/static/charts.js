// Draws every figure with data-chart, from the JSON that it names, and fills its table; again when there is news.
(() => {
  "use strict";
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const drawn = new Map();

  const figure = (value) => {
    if (value == null || !Number.isFinite(value)) return "-";
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size >= 1000) return Math.round(value).toLocaleString("en").replaceAll(",", "\u202f");
    if (size >= 100) return value.toFixed(0);
    if (size >= 10) return value.toFixed(1);
    if (size >= 0.01) return value.toFixed(2);
    return value.toExponential(1);
  };
  // Seconds in the unit that suits them; other units as they are, notes in braces without the braces.
  const withUnit = (unit) => (value) => {
    if (value == null) return "-";
    if (unit === "s") {
      if (value === 0) return "0 s";
      const size = Math.abs(value);
      if (size < 1e-3) return `${figure(value * 1e6)} µs`;
      if (size < 1) return `${figure(value * 1e3)} ms`;
    }
    const words = unit === "1" ? "" : unit.replaceAll(/[{}]/g, "");
    return words ? `${figure(value)} ${words}` : figure(value);
  };

  const thresholds = (list) => ({
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        const scale = devicePixelRatio || 1;
        ctx.save();
        list.forEach(({ value, label }, index) => {
          const y = Math.round(plot.valToPos(value, "y", true));
          if (y < bbox.top || y > bbox.top + bbox.height) return;
          ctx.strokeStyle = ctx.fillStyle = style(index === list.length - 1 ? "--bad" : "--some");
          ctx.lineWidth = 2 * scale;
          ctx.setLineDash(index === list.length - 1 ? [10 * scale, 4 * scale] : [4 * scale, 4 * scale]);
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          const size = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.8 * scale;
          ctx.font = `600 ${size}px ${style("--sans")}`;
          ctx.textAlign = "right";
          // On a ground of its own, or the line of the values runs through it.
          const words = `${label} ${value}`, right = bbox.left + bbox.width - 6 * scale, wide = ctx.measureText(words).width;
          ctx.globalAlpha = 0.9;
          ctx.fillStyle = style("--paper");
          ctx.fillRect(right - wide - 4 * scale, y - 6 * scale - size, wide + 8 * scale, size + 4 * scale);
          ctx.globalAlpha = 1;
          ctx.fillStyle = ctx.strokeStyle;
          ctx.fillText(words, right, y - 6 * scale);
        });
        ctx.restore();
      },
    },
  });

  // The legend has the newest values while nobody points at others.
  const newest = (plot) => { if (plot.cursor.left == null || plot.cursor.left < 0) plot.setLegend({ idx: plot.data[0].length - 1 }); };
  const latest = { hooks: { ready: newest, setData: newest, setCursor: newest } };

  const make = (element, chart) => {
    const place = element.querySelector(".plot");
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const value = withUnit(chart.unit);
    const font = `${Math.round(rem * 0.8)}px ${style("--sans")}`;
    const axis = { stroke: style("--soft"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line") }, font };
    const limits = chart.thresholds.map((threshold) => threshold.value);
    const dashes = [undefined, [8, 4], [2, 3], [12, 3, 2, 3], [6, 2], [3, 6], [10, 6], [1, 2]];
    // Few points stand apart: a line alone would hide where they are.
    const few = chart.times.length <= 60;
    const shape = {
      width: Math.max(240, place.clientWidth), height: Math.round(rem * 16),
      scales: { x: { range: (plot, first, last) => {
        // Of a single moment the library makes a day.
        const times = plot.data[0];
        if (times.length === 1) return [times[0] - 60, times[0] + 5];
        return last - first < 60 ? [last - 60, last + 5] : [first, last];
      } }, y: { range: (_, low, high) => {
        const least = Math.min(0, low ?? 0), most = Math.max(high ?? 1, ...limits, 0);
        return [least, most === least ? least + 1 : most + (most - least) * 0.08];
      } } },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((at) => new Date(at * 1000).toLocaleTimeString("en-GB")), space: rem * 6 },
        { ...axis, values: (_, ticks) => ticks.map(chart.unit === "s" ? value : figure), size: rem * 5.5, space: rem * 2.4 },
      ],
      series: [
        { label: "Time", value: (_, at) => at == null ? "-" : new Date(at * 1000).toLocaleTimeString("en-GB") },
        ...chart.lines.map((line, index) => ({
          label: line.name, stroke: style(`--s${index % 8}`), width: 2, dash: dashes[index % 8], spanGaps: true,
          points: { show: few, size: 7 }, value: (_, at) => value(at),
        })),
      ],
      // Room for half of the last time.
      padding: [rem * 0.5, rem * 2.2, 0, 0],
      legend: { live: true }, cursor: { drag: { x: true, y: false } },
      plugins: [thresholds(chart.thresholds), latest],
    };
    place.replaceChildren();
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", `${element.querySelector("figcaption").innerText}; the values are in the table below`);
    return new uPlot(shape, data(chart), place);
  };
  const data = (chart) => [chart.times, ...chart.lines.map((line) => line.values)];

  const table = (element, chart) => {
    const place = element.querySelector("[data-table]");
    const head = document.createElement("tr");
    const cell = (row, tag, text, type) => {
      const made = row.appendChild(document.createElement(tag));
      made.textContent = text;
      if (type === "number") made.className = "number"; else made.scope = type;
    };
    cell(head, "th", "Time", "col");
    for (const line of chart.lines) { cell(head, "th", line.name, "number"); head.lastChild.scope = "col"; }
    const rows = chart.times.map((at, index) => {
      const row = document.createElement("tr");
      cell(row, "th", new Date(at * 1000).toLocaleTimeString("en-GB"), "row");
      for (const line of chart.lines) cell(row, "td", figure(line.values[index]), "number");
      return row;
    });
    place.tHead.replaceChildren(head);
    place.tBodies[0].replaceChildren(...rows.reverse().slice(0, 120));
  };

  const names = (chart) => JSON.stringify([chart.unit, chart.lines.map((line) => line.name), chart.thresholds, chart.times.length <= 60]);
  const draw = async (again) => {
    const asked = new Map();
    for (const element of document.querySelectorAll("figure[data-chart]")) {
      const source = element.dataset.chart;
      if (!asked.has(source)) asked.set(source, fetch(source).then((answer) => answer.ok ? answer.json() : null).catch(() => null));
      const answer = await asked.get(source);
      const chart = Array.isArray(answer) ? answer[Number(element.dataset.at)] : answer;
      if (!chart) continue;
      const before = drawn.get(element);
      if (before && !again && before.names === names(chart)) before.plot.setData(data(chart));
      else { before?.plot.destroy(); drawn.set(element, { names: names(chart), plot: make(element, chart) }); }
      drawn.get(element).chart = chart;
      if (element.querySelector("details.values").open) table(element, chart);
    }
  };
  for (const element of document.querySelectorAll("figure[data-chart]")) {
    element.querySelector("details.values").addEventListener("toggle", (event) => {
      const known = drawn.get(element);
      if (event.target.open && known) table(element, known.chart);
    });
  }
  // A canvas does not follow the style sheet by itself, and paper is never dark.
  const root = document.documentElement;
  const redraw = (theme) => {
    if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
    for (const [element, known] of drawn) { known.plot.destroy(); known.plot = make(element, known.chart); }
  };
  let theme;
  addEventListener("beforeprint", () => { theme = root.dataset.theme; redraw("light"); });
  addEventListener("afterprint", () => redraw(theme));
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; draw(true); } });
  addEventListener("look", () => draw(true));
  addEventListener("news", () => draw(false));
  draw(false).then(() => { document.documentElement.dataset.drawn = "yes"; });
})();
