// attest_peer.mjs EVIDENCE SECONDS: how many full TDX verifications a second npm's @phala/dcap-qvl-web (Rust, WebAssembly) does
// with the quote and collateral that attest_bench verifies, on one thread's processor time. One JSON line.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { initSync, js_verify } from "@phala/dcap-qvl-web";

const [evidence, seconds] = process.argv.slice(2);
const AT = 1750572800n; // 2025-06-22T06:13:20Z
initSync({ module: readFileSync(createRequire(import.meta.url).resolve("@phala/dcap-qvl-web/dcap-qvl-web_bg.wasm")) });
const quote = readFileSync(`${evidence}/tdx/v4-a/quote.bin`);
const collateral = JSON.parse(readFileSync(`${evidence}/tdx/v4-a/collateral.json`, "utf8"));

const verdict = js_verify(new Uint8Array(quote), collateral, AT);
if (verdict.status !== "UpToDate") throw new Error(`the peer says ${verdict.status}`);
const cpu = () => { const usage = process.cpuUsage(); return (usage.user + usage.system) / 1e6; };
for (let i = 0; i < 50; ++i) js_verify(new Uint8Array(quote), collateral, AT);
const begin = cpu();
let calls = 0;
while (cpu() - begin < Number(seconds)) { js_verify(new Uint8Array(quote), collateral, AT); ++calls; }
console.log(JSON.stringify({ bench: "attest.tdx.peer", peer: "@phala/dcap-qvl-web 0.3.3", perSecond: calls / (cpu() - begin) }));
