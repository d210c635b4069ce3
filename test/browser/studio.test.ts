/** The studio in a real Chromium: asking, watching, replaying, comparing, by mouse and by keys. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Gate } from "../studio/gate.js";
import { beamTrace, question, rsdTrace, type StudioWorld, studioWorld } from "../studio/world.js";
import { openChromium } from "./chromium.js";
import { expectText, openStudio } from "./studio-page.js";

const browser = await openChromium();

describe.skipIf(!browser)("the studio in Chromium", () => {
  const gate = new Gate();
  let world: StudioWorld;
  let search: string;
  let recorded: string;
  beforeAll(async () => {
    world = await studioWorld({ bench: true, script: gate.script });
    await world.addTrace("rsd.jsonl", await rsdTrace());
    await world.addTrace("beam.jsonl", await beamTrace());
    const ids = await traceIds(world);
    recorded = `#/traces/${ids.get("rsd.jsonl")}`;
    search = `#/traces/${ids.get("beam.jsonl")}`;
  });
  afterAll(async () => {
    await browser!.close();
    await world[Symbol.asyncDispose]();
  });

  test("a question is asked and RSD is watched: writers, rewards, rejected drafts, cost", async () => {
    await using studio = await openStudio(browser!, world, "#/ask");
    const { page } = studio;
    gate.after(3);
    await page.fill("textarea", question);
    await page.click("button[type=submit]");
    await page.waitForURL(/#\/runs\/run-/);
    // Two steps are decided, the draft's third was rejected, and the target has not written yet.
    await page.waitForSelector(".status.live");
    await expect.poll(() => page.locator(".step:not(.undecided)").count()).toBe(2);
    gate.open();
    await page.waitForSelector(".status.good");
    expect(await page.locator(".step").count()).toBe(5);
    // Who wrote it stands there in words, not in colour alone.
    const third = page.locator(".step").nth(2);
    expect(await third.locator(".step-row .writer").textContent()).toContain("target");
    expect(await third.locator(".rejected .writer").textContent()).toContain("draft");
    expect(await third.locator(".rejected .reward-number").textContent()).toContain("0.10");
    expect(await third.locator(".rejected-text").isVisible()).toBe(false);
    await third.locator(".rejected summary").click();
    expect(await third.locator(".rejected-text").textContent()).toMatch(/Slip[\s\S]*Thrown away/);
    expect(await page.locator(".cost-factor").textContent()).toMatch(/^\d.* ×/);
    expect(await page.locator(".cost").textContent()).toContain("target alone");
    expect(studio.problems).toEqual([]);
  });

  test("a run is stopped", async () => {
    await using studio = await openStudio(browser!, world, "#/ask");
    const { page } = studio;
    gate.after(3);
    await page.fill("textarea", "Echo egret in 9 steps.");
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector(".step");
    await page.click("button.stop");
    await expectText(page, "stopped before its end");
    expect(await page.locator("button.stop").count()).toBe(0);
    gate.open();
  });

  test("two methods answer beside each other, each with its options from its schema", async () => {
    await using studio = await openStudio(browser!, world, "#/ask");
    const { page } = studio;
    await page.fill("textarea", question);
    await page.click("text=and another method beside it");
    await page.selectOption("#right-model", "best-of-n/default");
    await page.locator("fieldset").nth(1).locator("summary").click();
    await page.fill("#right-samples", "3");
    await page.click("text=Ask both");
    await page.waitForURL(/#\/side\?left=run-.*right=run-/);
    await expect
      .poll(() => page.locator(".column .chip").allTextContents(), { timeout: 20_000 })
      .toEqual(["rsd", "best-of-n"]);
    // Three whole answers, of which one was taken.
    await expect
      .poll(() => page.locator(".column").nth(1).locator(".ledger td").first().textContent())
      .toBe("15");
    expect(studio.problems).toEqual([]);
  });

  test("a recorded run is replayed at another threshold, as far as the recording tells", async () => {
    await using studio = await openStudio(browser!, world, `${recorded}/replay`);
    const { page } = studio;
    await expectText(page, "Nothing changes");
    const slider = page.locator("input[type=range]");
    await slider.fill("0");
    await expectText(page, /Step \d+ would have been kept[\s\S]*nobody knows/);
    await expectText(page, "unknown from here on");
    expect(await page.evaluate("location.hash")).toBe(`${recorded}/replay?threshold=0`);
    // The address holds all of it.
    await page.reload();
    await expectText(page, /Step \d+ would have been kept/);
    await slider.fill("1.01");
    await expectText(page, /Step \d+ would have been rejected[\s\S]*nobody knows/);
    expect(studio.problems).toEqual([]);
  });

  test("a link leads to a place within a run, through the door", async () => {
    await using studio = await openStudio(browser!, world, `${search}/tree`);
    await studio.page.waitForSelector("g.leaf.chosen");
    expect(await studio.page.locator("nav.tabs [aria-current]").textContent()).toBe("Tree");
    expect(studio.page.url()).not.toContain("token");
    expect(await studio.page.locator("g.leaf.pruned").count()).toBeGreaterThan(0);
    // The arrows walk from the answer back towards the question.
    const before = await studio.page.locator(".node-panel").textContent();
    await studio.page.locator(".tree-scroll").focus();
    await studio.page.keyboard.press("ArrowLeft");
    await studio.page.keyboard.press("ArrowLeft");
    await expect.poll(() => studio.page.locator(".node-panel").textContent()).not.toBe(before);
  });

  test("the keys reach everything", async () => {
    await using studio = await openStudio(browser!, world, "#/ask");
    const { page } = studio;
    await page.waitForSelector("textarea");
    await page.keyboard.press("g");
    await page.keyboard.press("r");
    await page.waitForSelector(".run-item");
    await page.keyboard.press("/");
    await page.keyboard.type("beam.jsonl");
    await expect.poll(() => page.locator(".run-item").count()).toBe(1);
    await page.locator("h1").click();
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".step");
    await page.keyboard.press("5");
    await page.waitForSelector(".event-row");
    await page.keyboard.press("Control+k");
    await page.waitForSelector(".palette input:focus");
    await page.keyboard.type("benches");
    await expect.poll(() => page.locator("#palette-chosen").textContent()).toContain("Benches");
    await page.keyboard.press("Enter");
    await expectText(page, "sums");
    await page.keyboard.press("t");
    await expect.poll(() => page.evaluate("document.documentElement.dataset.theme")).toBe("light");
    await page.keyboard.press("?");
    await expectText(page, "next and previous step");
  });

  test("a bench shows its front, and two rows their paired difference", async () => {
    await using studio = await openStudio(browser!, world, "#/benches");
    const { page } = studio;
    await page.click(".bench-list a");
    await page.waitForSelector(".pareto .mark");
    expect(await page.locator(".rows tbody th").allTextContents()).toEqual(["draft", "target", "rsd"]);
    await expect
      .poll(() => page.evaluate("document.querySelector('.report-figure img').naturalWidth"))
      .toBeGreaterThan(100);
    await page.click("text=Compare two rows");
    await expectText(page, /points[\s\S]*McNemar's exact p/);
    await page.locator(".asked summary").first().click();
    await expectText(page, "FLOPs");
    expect(studio.problems).toEqual([]);
  });

  const axeSource = readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const places = () => [
    "#/ask",
    "#/runs",
    `${recorded}`,
    `${recorded}/tokens`,
    `${search}/tree`,
    `${recorded}/replay`,
    `${recorded}/records`,
    "#/side",
    "#/benches",
    "#/compare",
    "#/keys",
  ];

  test.each(["light", "dark"] as const)("passes axe on every page: %s", async (colorScheme) => {
    await using studio = await openStudio(browser!, world, "#/keys", {
      colorScheme,
      reducedMotion: "reduce",
    });
    await studio.page.evaluate(await axeSource);
    // What a theme changes are colours.
    const rules = {
      resultTypes: ["violations"],
      ...(colorScheme === "dark" && { runOnly: ["color-contrast"] }),
    };
    for (const place of places()) {
      await studio.go(place);
      await settled(studio.page);
      const found = (await studio.page.evaluate(`axe.run(document, ${JSON.stringify(rules)})`)) as {
        violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
      };
      const words = found.violations.map(
        ({ id, nodes }) => `${place} ${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary}`,
      );
      expect(words).toEqual([]);
    }
  });

  test("every page is as wide as a phone, and no wider", async () => {
    await using studio = await openStudio(browser!, world, "#/keys", {
      viewport: { width: 390, height: 844 },
    });
    for (const place of places()) {
      await studio.go(place);
      await settled(studio.page);
      expect(await studio.page.evaluate("document.documentElement.scrollWidth"), place).toBeLessThanOrEqual(
        390,
      );
    }
    expect(studio.problems).toEqual([]);
  });

  test("nothing moves for those who ask for stillness", async () => {
    await using studio = await openStudio(browser!, world, "#/ask", { reducedMotion: "reduce" });
    const { page } = studio;
    gate.after(2);
    await page.fill("textarea", "Echo plover in 9 steps.");
    await page.click("button[type=submit]");
    await page.waitForSelector(".status.live");
    const moving = await page.evaluate(
      "document.getAnimations().filter(({ playState }) => playState === 'running').length",
    );
    expect(moving).toBe(0);
    gate.open();
  });
});

async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle");
  await expect.poll(() => page.locator("main").textContent()).not.toMatch(/Reading …/);
}

async function traceIds({ origin, link }: StudioWorld): Promise<Map<string, string>> {
  const door = await fetch(link, { redirect: "manual" });
  const cookie = door.headers.get("set-cookie")!.split(";")[0]!;
  const response = await fetch(`${origin}/studio/files`, { headers: { cookie } });
  const { traces } = (await response.json()) as { traces: { id: string; name: string }[] };
  return new Map(traces.map(({ id, name }) => [name, id]));
}
