// Turns the figures of a bench folder into PNG files beside the SVG ones: `node scripts/figures-to-png.js DIR [--dark]`.
// It needs a Chromium (CHROMIUM names one): Node has nothing that draws SVG, and a library for it would be larger
// than stepwright.
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [folder, theme] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node scripts/figures-to-png.js DIR [--dark]");
  process.exit(2);
}
const figures = resolve(folder, "figures");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const page = await browser.newPage({
  colorScheme: theme === "--dark" ? "dark" : "light",
  deviceScaleFactor: 2,
  viewport: { width: 800, height: 900 },
});
for (const name of readdirSync(figures).filter((name) => name.endsWith(".svg"))) {
  await page.goto(pathToFileURL(join(figures, name)).href);
  const path = join(figures, name.replace(/svg$/, "png"));
  await page.locator("svg").first().screenshot({ path });
  console.log(path);
}
await browser.close();
