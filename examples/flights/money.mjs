// money.mjs: reads `spctl orders get ORDER --json` and prints who paid and earned what, in whole tokens; fails unless what
// was paid in is what was paid out, to the smallest unit.
import { readFileSync } from "node:fs";

const DECIMALS = 18n;
const order = JSON.parse(readFileSync(0, "utf8"));
const { payment } = order;

function tokens(units) {
  const digits = units.toString().padStart(Number(DECIMALS) + 1, "0");
  const whole = digits.slice(0, -Number(DECIMALS));
  return `${whole}.${digits.slice(-Number(DECIMALS)).replace(/0+$/, "") || "0"}`;
}

const rows = [["WHO", "FOR", "PAID", "EARNED"]];
const deposit = BigInt(payment.deposit);
const refund = BigInt(payment.refund);
let earned = BigInt(payment.compute);
rows.push(["customer", "the order", tokens(deposit - refund), ""]);
rows.push(["provider", "compute", "", tokens(earned)]);
for (const part of payment.parts) {
  const paid = BigInt(part.paid);
  if (paid === 0n) continue;
  earned += paid;
  rows.push([part.owner === payment.provider ? "provider" : `${part.kind}'s owner`, part.kind, "", tokens(paid)]);
}
rows.push(["all", `${tokens(refund)} of ${tokens(deposit)} came back`, tokens(deposit - refund), tokens(earned)]);

const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
for (const row of rows) {
  console.log(row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  "));
}
if (deposit - refund !== earned) {
  console.error("what was paid in isn't what was paid out");
  process.exit(1);
}
