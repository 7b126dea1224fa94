// node bench/plot_scale.mjs LINES.jsonl OUT.svg: draws docs/scale.svg from what `bench/run.sh load` printed. The same lines give
// the same file. Left: orders per second by customers. Right: where the time of the median order goes, and who uses the processor.
import { readFileSync, writeFileSync } from "node:fs";

const lines = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => JSON.parse(line))
  .filter((line) => line.bench === "load" && line.blockSeconds === 0);
const byCustomers = [...lines].sort((a, b) => a.customers - b.customers || a.providers - b.providers);
const COLOURS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999999", "#dd8844", "#44aa99", "#7755cc"];
const STAGES = ["deposited", "created", "taken", "attested", "keys", "run", "stored", "receipt", "settled", "opened"];
const PROCESSES = ["anvil", "bench", "broker", "store"];
const out = [];
const text = (x, y, words, extra = "") => out.push(`<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${extra}>${words}</text>`);
const box = (x, y, w, h, fill) => out.push(`<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${w.toFixed(1)}" height="${h.toFixed(1)}" fill="${fill}"/>`);
const nice = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const name = (line) => `${line.customers} × ${line.providers}`;

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
shares(500, 50, 460, "The median order's time, by stage", STAGES, (line, stage) => line.stagesMs[stage].p50);
const lower = 50 + Math.max(250, byCustomers.length * 22 + 80);
shares(500, lower, 460, "Processor time, by process", PROCESSES, (line, process) => line.processes[process].cpuSeconds);
text(30, lower - 12, "Largest resident memory, MiB", 'class="head"');
PROCESSES.forEach((process, i) => text(140 + i * 75, lower + 8, process, 'text-anchor="end"'));
byCustomers.forEach((line, row) => {
  text(30, lower + 28 + row * 18, name(line));
  PROCESSES.forEach((process, i) => text(140 + i * 75, lower + 28 + row * 18, line.processes[process].rssMaxMiB.toFixed(0), 'text-anchor="end"'));
});
const height = lower + byCustomers.length * 22 + 60;
writeFileSync(process.argv[3], `<svg xmlns="http://www.w3.org/2000/svg" width="980" height="${height}" viewBox="0 0 980 ${height}" role="img">
<title>Orders per second, stages, processor time and memory by number of customers and providers</title>
<style>text { font: 11px sans-serif; fill: #222; } .head { font-weight: bold; font-size: 13px; } .paper { fill: #fff; }
@media (prefers-color-scheme: dark) { text { fill: #ddd; } .paper { fill: #111; } }</style>
<rect class="paper" width="980" height="${height}"/>
${out.join("\n")}
</svg>
`);
