// node bench/plot_scale.mjs LINES.jsonl OUT.svg: draws docs/scale.svg from what `bench/run.sh load` printed. The same lines give
// the same file. Left: orders per second by customers, an order's time, memory. Right: where the time goes, and who uses the processor.
import { readFileSync, writeFileSync } from "node:fs";

const lines = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => JSON.parse(line))
  .filter((line) => line.bench === "load" && line.blockSeconds === 0);
const byCustomers = [...lines].sort((a, b) => a.customers - b.customers || a.providers - b.providers || a.systems - b.systems);
const COLOURS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999999", "#dd8844", "#44aa99", "#7755cc", "#bb7799"];
const STAGES = ["begun", "deposited", "created", "taken", "attested", "keys", "run", "stored", "receipt", "settled", "opened"];
const PROCESSES = ["anvil", "bench", "broker", "store"];
const out = [];
const text = (x, y, words, extra = "") => out.push(`<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${extra}>${words}</text>`);
const box = (x, y, w, h, fill) => out.push(`<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${w.toFixed(1)}" height="${h.toFixed(1)}" fill="${fill}"/>`);
const nice = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const name = (line) => `${line.customers} × ${line.providers}${line.systems > 1 ? ` in ${line.systems}` : ""}`;

// Bars of orders per second.
function rates(x, y, width, height) {
  const most = Math.max(...byCustomers.map((line) => line.ordersPerSecond));
  const step = width / byCustomers.length;
  text(x, y - 12, "Orders per second (customers × providers)", 'class="head"');
  byCustomers.forEach((line, i) => {
    const h = (line.ordersPerSecond / most) * (height - 20);
    box(x + i * step + step * 0.15, y + height - h, step * 0.7, h, COLOURS[0]);
    text(x + (i + 0.5) * step, y + height - h - 5, nice(line.ordersPerSecond), 'text-anchor="middle"');
    text(x + (i + 0.5) * step, y + height + 16, name(line), 'text-anchor="middle"');
  });
}

// One stacked bar a line, each part its share of the whole.
function shares(x, y, width, title, parts, valueOf) {
  text(x, y - 12, title, 'class="head"');
  byCustomers.forEach((line, row) => {
    const values = parts.map((part) => valueOf(line, part));
    const whole = values.reduce((sum, value) => sum + value, 0);
    let at = x + 70;
    text(x + 62, y + row * 22 + 13, name(line), 'text-anchor="end"');
    values.forEach((value, i) => {
      const w = ((width - 70) * value) / whole;
      box(at, y + row * 22, w, 17, COLOURS[i]);
      at += w;
    });
  });
  parts.forEach((part, i) => {
    const column = i % 5, row = Math.floor(i / 5), top = y + byCustomers.length * 22 + 8 + row * 18;
    box(x + column * 92, top, 10, 10, COLOURS[i]);
    text(x + column * 92 + 14, top + 9, part);
  });
}

rates(30, 50, 430, 200);
const panel = byCustomers.length * 22 + 98;
shares(500, 50, 460, "Stages, shares of their medians", STAGES, (line, stage) => line.stagesMs[stage].p50);
shares(500, 50 + panel, 460, "Stages, shares of their 99th percentiles", STAGES, (line, stage) => line.stagesMs[stage].p99);
shares(500, 50 + 2 * panel, 460, "Processor time, by process", PROCESSES, (line, process) => line.processes[process].cpuSeconds);
// A row a line under the heads of the columns.
function table(y, title, heads, valueOf) {
  text(30, y - 12, title, 'class="head"');
  heads.forEach((head, i) => text(200 + i * 75, y + 8, head, 'text-anchor="end"'));
  byCustomers.forEach((line, row) => {
    text(30, y + 28 + row * 18, name(line));
    heads.forEach((head, i) => text(200 + i * 75, y + 28 + row * 18, valueOf(line, head), 'text-anchor="end"'));
  });
}
table(310, "Seconds until an order begins, and from there to its result", ["waits p50", "waits p99", "order p50", "order p99"], (line, head) => {
  const [what, share] = head.split(" ");
  return nice(line.stagesMs[what === "waits" ? "begun" : "whole"][share] / 1000);
});
table(310 + byCustomers.length * 18 + 80, "Largest resident memory, MiB", PROCESSES, (line, process) => line.processes[process].rssMaxMiB.toFixed(0));
const height = 50 + 2 * panel + byCustomers.length * 22 + 60;
writeFileSync(process.argv[3], `<svg xmlns="http://www.w3.org/2000/svg" width="980" height="${height}" viewBox="0 0 980 ${height}" role="img">
<title>Orders per second, stages, processor time and memory by number of customers and providers</title>
<style>text { font: 11px sans-serif; fill: #222; } .head { font-weight: bold; font-size: 13px; } .paper { fill: #fff; }
@media (prefers-color-scheme: dark) { text { fill: #ddd; } .paper { fill: #111; } }</style>
<rect class="paper" width="980" height="${height}"/>
${out.join("\n")}
</svg>
`);
