// Makes docs/images/studio-*.png from real runs of the lab's models: `npm run build && node scripts/studio-screenshots.js`.
// CHROMIUM names the browser; without it, Debian's.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("..", import.meta.url));
const images = join(root, "docs/images");
const stepwright = join(root, "bin/stepwright.js");
const home = mkdtempSync(join(tmpdir(), "stepwright-screenshots-"));
const environment = { ...process.env, STEPWRIGHT_HOME: home };
const lab = ["--draft", "lab:draft", "--target", "lab:target", "--reward", "lab:reward"];
/** A story of the lab in which the draft slips twice. */
const question = "Ada has 17 apples. Times 4. Modulo 5. Finds 88. Modulo 5. Finds 78. How many?";

mkdirSync(images, { recursive: true });
const bench = join(home, "lab-bench");
run(
  ["bench", "--task", "lab:5", "--offset", "600000", "--limit", "60", "--out", bench, ...lab, "--method"],
  ["draft,target,rsd:threshold=0.3..0.9/0.3,best-of-n,beam,self-consistency"],
);

const studio = spawn(
  process.execPath,
  [stepwright, "studio", "--port", "0", "--json", "--bench", bench, ...lab],
  {
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
  },
);
const { value: line } = await createInterface({ input: studio.stdout })[Symbol.asyncIterator]().next();
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1200, height: 760 }, deviceScaleFactor: 1.5 });
  await page.goto(JSON.parse(line).studio);
  await fill(page, "rsd/default", { threshold: "0.9" }, "0", "best-of-n/default");
  await page.setViewportSize({ width: 1200, height: 1000 });
  await page.evaluate("scrollTo(0, 0)");
  await shoot(page, "ask");
  await page.setViewportSize({ width: 1200, height: 760 });
  await ask(page, "rsd/default", { threshold: "0.9" });
  await page.waitForSelector(".status.good");
  const rsd = await page.evaluate("location.hash");
  await shoot(page, "run");
  await page.goto(`${page.url().split("#")[0]}${rsd}/tokens`);
  await page.waitForSelector(".tokens:not(.bars)");
  await shoot(page, "tokens");
  await page.goto(`${page.url().split("#")[0]}${rsd}/replay?threshold=0.6`);
  await page.waitForSelector(".verdict");
  await page.setViewportSize({ width: 1200, height: 900 });
  await shoot(page, "replay");
  await page.setViewportSize({ width: 1200, height: 760 });
  await ask(page, "mcts/default", {}, "1");
  await page.waitForSelector(".status.good");
  await page.click("nav.tabs >> text=Tree");
  await page.waitForSelector("g.leaf.chosen");
  await shoot(page, "tree");
  await ask(page, "rsd/default", {}, "0", "target/default");
  await page.waitForSelector("text=of the right one");
  await shoot(page, "side-by-side");
  await page.goto(`${page.url().split("#")[0]}#/benches`);
  await page.click(".bench-list a");
  await page.waitForSelector(".pareto .mark");
  await shoot(page, "bench");
  await page.click("text=Compare two rows");
  await page.locator("#row-One").selectOption({ label: "lab-bench: rsd:threshold=0.3" });
  await page.waitForSelector(".asked");
  await shoot(page, "compare");
  const phone = await browser.newPage({
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 1.5,
    colorScheme: "dark",
  });
  await phone.goto(JSON.parse(line).studio + rsd);
  await phone.waitForSelector(".status.good");
  await shoot(phone, "phone");
} finally {
  await browser.close();
  studio.kill("SIGTERM");
  await new Promise((resolve) => studio.once("exit", resolve));
  rmSync(home, { recursive: true, force: true });
}

async function ask(page, ...question) {
  await fill(page, ...question);
  await page.click("button[type=submit]");
  await page.waitForURL(/#\/(runs|side)/);
}

async function fill(page, model, options, temperature = "0", other) {
  // By way of another page: a form keeps what was written in it.
  await page.goto(`${page.url().split("#")[0]}#/keys`);
  await page.goto(`${page.url().split("#")[0]}#/ask`);
  await page.fill("textarea", question);
  await page.selectOption("#method-model", model);
  if (Object.keys(options).length > 0) await page.click("fieldset summary");
  for (const [name, value] of Object.entries(options)) await page.fill(`#method-${name}`, value);
  await page.click("text=Sampling and length");
  await page.fill("#temperature", temperature);
  if (other) {
    await page.click("text=and another method beside it");
    await page.selectOption("#right-model", other);
  }
}

async function shoot(page, name) {
  // Polls and images have come in by then.
  await page.waitForLoadState("networkidle");
  const path = join(images, `studio-${name}.png`);
  await page.screenshot({ path });
  console.log(`${path} ${Math.round(statSync(path).size / 1000)} kB`);
}

function run(words, more) {
  const { status } = spawnSync(process.execPath, [stepwright, ...words, ...more], {
    env: environment,
    stdio: "ignore",
  });
  if (status !== 0) process.exit(1);
}
