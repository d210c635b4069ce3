/** The report in a real Chromium: both themes, a phone, and texts that try to break out of it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { figuresOf } from "../../src/bench/report/figures.js";
import { htmlOf } from "../../src/bench/report/html.js";
import { standalone } from "../../src/bench/report/theme.js";
import { reportWorld } from "../../src/testing/report-world.js";
import { openChromium } from "./chromium.js";
import { contrasts, countOf, fillOf, misplacedWords, widths } from "./page-facts.mjs";

const browser = await openChromium();

describe.skipIf(!browser)("a report in Chromium", () => {
  let root: string;
  let plain: string;
  let hostile: string;
  let svg: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "stepwright-browser-"));
    const write = async (name: string, text: string) => {
      await writeFile(join(root, name), text);
      return pathToFileURL(join(root, name)).href;
    };
    const report = await reportWorld(await mkdtemp(join(root, "bench-")));
    plain = await write("report.html", htmlOf(report));
    svg = await write("figure.svg", standalone(figuresOf(report)[0]!.draw(720)));
    const spoilt = await reportWorld(await mkdtemp(join(root, "bench-")), { hostile: true, questions: 4 });
    hostile = await write("hostile.html", htmlOf(spoilt));
  });
  afterAll(async () => {
    await browser!.close();
    await rm(root, { recursive: true, force: true });
  });

  test.each(["light", "dark"] as const)(
    "is legible and asks the network for nothing: %s",
    async (colorScheme) => {
      await using page = await browser!.newPage({ colorScheme, viewport: { width: 1200, height: 900 } });
      const problems: string[] = [];
      page.on("console", (message) => problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(error.message));
      page.on("request", (request) => {
        if (!request.url().startsWith("file:")) problems.push(request.url());
      });
      await page.goto(plain);
      expect(problems).toEqual([]);
      // WCAG 2.2, level AA, for text.
      for (const ratio of await page.evaluate(contrasts, ["body", ".soft", "figcaption", "th", "td"]))
        expect(ratio).toBeGreaterThan(4.5);
    },
  );

  test("fits a phone, with figures drawn for it", async () => {
    await using page = await browser!.newPage({ viewport: { width: 360, height: 740 } });
    await page.goto(plain);
    const found = await page.evaluate(widths);
    expect(found.page).toBeLessThanOrEqual(360);
    expect(found.wide).toBe(0);
    expect(found.narrow).toBeGreaterThan(4);
  });

  test("has no words that leave their figure or cover others", async () => {
    await using page = await browser!.newPage({ viewport: { width: 1200, height: 900 } });
    await page.goto(plain);
    expect(await page.evaluate(misplacedWords)).toEqual([]);
  });

  test("runs nothing that a model, a question or a name contains", async () => {
    await using page = await browser!.newPage();
    await page.goto(hostile);
    expect(await page.title()).not.toBe("broken out");
    expect(await page.evaluate(countOf, "script, img")).toBe(0);
  });

  test("has figures that stand on their own", async () => {
    await using page = await browser!.newPage({ colorScheme: "dark" });
    await page.goto(svg);
    expect(await page.evaluate(countOf, "svg")).toBe(1);
    expect(await page.evaluate(fillOf, "text.label")).toBe("rgb(236, 234, 228)");
  });
});
