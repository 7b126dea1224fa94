// money.mjs FOLDER SOLUTION_PRICE DATA_PRICE SECONDS_MAX: prints who paid and earned what, in whole tokens; fails unless
// everybody has on the chain what the offers say, to the smallest unit. FOLDER holds what `spctl ... --json` answered:
// order.json (orders get), offers.json (offers list), purse.json (the customer's tokens balance, before the order), and the
// balances after it of customer, provider, solution and data, who had earned nothing before. The prices, in whole tokens,
// are what the owners asked for; the order took at most so many seconds.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const DECIMALS = 18;
const [folder, solutionPrice, dataPrice, secondsMax] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

function units(tokens) {
  const [whole, digits = ""] = tokens.split(".");
  return BigInt(whole + digits.padEnd(DECIMALS, "0"));
}

function tokens(amount) {
  const digits = amount.toString().padStart(DECIMALS + 1, "0");
  return `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS).replace(/0+$/, "") || "0"}`;
}

const faults = [];
function expect(what, is, wanted) {
  if (is !== wanted) faults.push(`${what}: ${tokens(is)} and not ${tokens(wanted)}`);
}

const { payment } = read("order");
const { offers } = read("offers");
const [customer, provider, solution, data] = ["customer", "provider", "solution", "data"].map(read);
const only = (kind, owner) => {
  const found = offers.filter((offer) => offer.kind === kind && [offer.owner, offer.provider].includes(owner.account));
  if (found.length !== 1) throw new Error(`${found.length} offers of ${kind} by ${owner.account}`);
  return found[0];
};

// The time that was paid for is told by nobody else: the whole seconds, of those that the order can have taken, that give
// what compute was paid.
const compute = only("compute", provider);
const hour = BigInt(compute.pricePerHour);
const computePaid = BigInt(payment.compute);
const seconds = ((computePaid - BigInt(compute.baseFee)) * 3600n + hour - 1n) / hour;
expect("compute was paid", computePaid, BigInt(compute.baseFee) + (hour * seconds) / 3600n);
if (seconds > BigInt(secondsMax)) faults.push(`compute was paid ${seconds} seconds, of ${secondsMax}`);

const storagePrice = BigInt(only("storage", provider).price);
expect("the solution's offer asks", BigInt(only("solution", solution).price), units(solutionPrice));
expect("the data's offer asks", BigInt(only("data", data).price), units(dataPrice));
const earned = [
  ["provider", "compute and storage", provider, computePaid + storagePrice],
  ["solution's owner", "solution", solution, units(solutionPrice)],
  ["data's owner", "data", data, units(dataPrice)],
];
const paid = earned.reduce((sum, [, , , wanted]) => sum + wanted, 0n);
const deposit = BigInt(read("purse").wallet) - BigInt(customer.wallet);
const refund = BigInt(customer.toWithdraw);
const rows = [
  ["WHO", "FOR", "PAID", "EARNED"],
  ["customer", "the order", tokens(deposit - refund), ""],
];
for (const [who, what, account, wanted] of earned) {
  rows.push([who, what, "", tokens(BigInt(account.toWithdraw))]);
  expect(`the ${who} earned`, BigInt(account.toWithdraw), wanted);
}
rows.push(["all", `${tokens(refund)} of ${tokens(deposit)} came back`, tokens(deposit - refund), tokens(paid)]);
expect("the customer's deposit was", deposit, BigInt(payment.deposit));
expect("the customer paid", deposit - refund, paid);
expect("the receipt says that there came back", BigInt(payment.refund), refund);

const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
for (const row of rows) {
  console.log(row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  "));
}
for (const fault of faults) console.error(`the wrong money: ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);
