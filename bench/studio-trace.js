// A trace of a million records in the studio: how long it takes to read, and whether the page ever stops drawing.
//   npm run build && node bench/studio-trace.js [--records 1000000]
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { startRun } from "../dist/core/run.js";
import { encodeLine } from "../dist/core/trace.js";
import rsd from "../dist/methods/rsd.js";
import { serveModels, startServer } from "../dist/server/index.js";
import { createStudio } from "../dist/server/studio/index.js";
import { toyQuestion, toyWorld } from "../dist/testing/index.js";

const { values } = parseArgs({ options: { records: { type: "string", default: "1000000" } } });
const records = Number(values.records);
const folder = mkdtempSync(join(tmpdir(), "stepwright-studio-trace-"));
const path = join(folder, "wide.jsonl");
await writeTrace(path);

const token = "a-token-for-one-measurement-only";
const models = await serveModels({ pairs: [], defaults: new Map() });
const studio = await createStudio({ token, traces: [folder] });
const server = await startServer({ models, port: 0, folder: null, studio });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  await page.goto(`${server.url}/studio/?token=${token}#/runs`);
  await page.waitForSelector(".run-item");
  await page.evaluate(() => {
    window.gaps = [];
    let last = performance.now();
    const frame = (now) => {
      window.gaps.push(now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  console.log(`${records} records, ${(statSync(path).size / 1e6).toFixed(0)} MB`);
  await timed("first view", async () => {
    await page.click(".run-item");
    await page.waitForSelector(".run-head");
  });
  await timed("all read", async () => {
    await page.click("nav.tabs >> text=Records");
    const last = `${records.toLocaleString("en")} records`;
    await page.waitForFunction((words) => document.body.textContent.includes(words), last, { timeout: 0 });
  });
  await timed("the last record", async () => {
    await page.locator(".event-scroll").focus();
    await page.keyboard.press("End");
    const last = String(records - 1);
    await page.waitForFunction(
      (index) => [...document.querySelectorAll(".event-index")].at(-1)?.textContent === index,
      last,
    );
  });
  await timed("the tree", async () => {
    await page.click("nav.tabs >> text=Tree");
    await page.waitForSelector("g.leaf");
  });
  const gaps = await page.evaluate(() => window.gaps.sort((a, b) => a - b));
  const at = (share) => gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))].toFixed(0);
  console.log(
    `${gaps.length} pictures, between two of them: median ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)} ms`,
  );
} finally {
  await browser.close();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
}

async function timed(words, work) {
  const from = performance.now();
  await work();
  console.log(`${words}: ${((performance.now() - from) / 1000).toFixed(1)} s`);
}

/** A tree in which every step has a hundred children, three records a step. */
async function writeTrace(path) {
  const { roles } = toyWorld(rsd);
  let first;
  for await (const event of startRun({ method: rsd, question: toyQuestion, roles })) first ??= event;
  const out = createWriteStream(path);
  const usage = { prefillTokens: 0, recomputedTokens: 0, decodeTokens: 4, flops: 1e6, seconds: 0.001 };
  const parents = [""];
  let index = 0;
  const write = async (event) => {
    if (index < records && !out.write(encodeLine(event, index++))) await once(out, "drain");
  };
  await write(first);
  for (let at = 0; index < records; at++) {
    const parent = parents[at];
    for (let child = 0; child < 100 && index < records; child++) {
      const node = parent === "" ? `${child}` : `${parent}.${child}`;
      if (parents.length < 10_000) parents.push(node);
      const step = { node, parent, role: "draft", origin: "draft", text: `12+${index}=${12 + index}\n\n` };
      const numbers = {
        tokens: [1, 2, 3, 4],
        logprobs: [-0.1, -0.2, 0, -0.5],
        entropies: [0.2, 0.1, 0, 0.3],
      };
      const rest = { vocabulary: "v", stop: "delimiter", finish: null, usage };
      await write({ type: "step-written", ...step, ...numbers, ...rest });
      await write({ type: "step-scored", node, value: 0.5, usage });
      await write({ type: "coin-tossed", node, purpose: "accept", probability: 1, heads: true });
    }
  }
  out.end();
  await once(out, "finish");
}
