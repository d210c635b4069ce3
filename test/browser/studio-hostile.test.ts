/** The studio against what a model, a stranger or a bad day sends it. Cases 89, 90 and 91. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeLine } from "../../src/core/trace.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import { hostileText } from "../../src/testing/report-world.js";
import { Gate } from "../studio/gate.js";
import { rsdTrace, type StudioWorld, studioWorld, token } from "../studio/world.js";
import { badNetwork } from "./bad-network.js";
import { openChromium } from "./chromium.js";
import { expectText, openStudio } from "./studio-page.js";

const browser = await openChromium();
const nasty = `${hostileText}<a href="javascript:document.title='broken out'">x</a> \u001b[31mred \u202eturned`;

describe.skipIf(!browser)("the studio against bad input", () => {
  const gate = new Gate();
  let world: StudioWorld;
  beforeAll(async () => {
    world = await studioWorld({ script: gate.script });
  });
  afterAll(async () => {
    await browser!.close();
    await world[Symbol.asyncDispose]();
  });

  test("89 model output is text: markup, links, terminal codes, turned text, a line of a megabyte", async () => {
    const events = (await rsdTrace()).map((event): TraceEvent => {
      switch (event.type) {
        case "run-started":
          return { ...event, question: nasty, method: nasty, options: { [nasty]: nasty } };
        case "step-written":
          return { ...event, text: nasty + "x".repeat(1_000_000), origin: nasty };
        case "run-finished":
          return { ...event, text: `\\boxed{${nasty}}` };
        default:
          return event;
      }
    });
    await world.addTrace(`89 ${"<img src=x>"}.jsonl`, events);
    await using studio = await openStudio(browser!, world, "#/runs");
    const { page } = studio;
    await page.click(".run-item");
    await page.waitForSelector(".step");
    for (const [tab, mark] of [
      ["Steps", ".step-text"],
      ["Tokens", ".tokens"],
      ["Tree", "g.leaf"],
      ["Replay", ".notice"],
      ["Records", ".event-row"],
    ]) {
      await page.click(`nav.tabs >> text=${tab}`);
      await page.waitForSelector(mark!);
    }
    await page.click("nav.tabs >> text=Steps");
    const text = await page.locator(".step-text").first().textContent();
    expect(text).toContain("<script>document.title=");
    expect(text).toContain("␛[31m");
    expect(text).toContain("‹U+202E›turned");
    expect(text).toContain("cut: ");
    expect(text!.length).toBeLessThan(30_000);
    expect(await page.title()).toBe("Traces · stepwright");
    expect(await page.locator("main img, main script, main a[href^=javascript]").count()).toBe(0);
    expect(studio.problems).toEqual([]);
  });

  test("90 a trace of twenty thousand steps is shown in pieces", async () => {
    const [first] = await rsdTrace();
    const count = 20_000;
    const lines = [encodeLine(first!, 0)];
    for (let index = 0; index < count; index++) lines.push(encodeLine(written(`${index}`, ""), index + 1));
    await world.addTrace("90-wide.jsonl", Buffer.concat(lines));
    await using studio = await openStudio(browser!, world, "#/runs?q=90-wide");
    const { page } = studio;
    await page.click(".run-item");
    await expectText(page, "20,000 steps written");
    for (const [tab, mark] of [
      ["Tree", "g.leaf"],
      ["Records", ".event-row"],
    ]) {
      await page.click(`nav.tabs >> text=${tab}`);
      await page.waitForSelector(mark!);
      expect(await page.locator("*").count()).toBeLessThan(2000);
    }
    await expectText(page, "20,001 records");
    await page.locator(".event-scroll").focus();
    await page.keyboard.press("End");
    await expect.poll(() => page.locator(".event-index").last().textContent()).toBe(String(count));
    expect(studio.problems).toEqual([]);
  });

  test.each([
    ["a cycle", [written("0", ""), written("0.0", "0"), written("0", "0.0")], /line 4.*not above it/i],
    ["a step without one above it", [written("5.0", "5")], /line 2.*before the step above/i],
    ["wrong types", [{ ...written("0", ""), tokens: "many" }], /line 2 holds no event of a run \(tokens/i],
    ["numbers that are none", [{ ...written("0", ""), logprobs: [null] }], /line 2 holds no event/i],
  ] as [string, TraceEvent[], RegExp][])(
    "90 a trace with %s is refused by its line",
    async (name, events, words) => {
      const [first] = await rsdTrace();
      await world.addTrace(`90 ${name}.jsonl`, [first!, ...events]);
      await using studio = await openStudio(browser!, world, `#/runs?q=90 ${name}`);
      await studio.page.click(".run-item");
      await expectText(studio.page, words);
      expect(studio.problems).toEqual([]);
    },
  );

  test("90 a file out of somebody's hands is read in the browser, or refused", async () => {
    await using studio = await openStudio(browser!, world, "#/runs");
    const { page } = studio;
    const asked: string[] = [];
    page.on("request", (request) => asked.push(`${request.method()} ${request.url()}`));
    const file = (contents: Buffer) => ({ name: "x.jsonl", mimeType: "text/plain", buffer: contents });
    await page.setInputFiles("input[type=file]", file(Buffer.concat((await rsdTrace()).map(encodeLine))));
    await page.waitForSelector(".step");
    await page.evaluate("location.hash = '#/runs'");
    await page.setInputFiles(
      "input[type=file]",
      file(Buffer.from("\u0000\u0001 this is no trace\n".repeat(10))),
    );
    await expectText(page, "cannot be shown");
    expect(asked.filter((request) => request.startsWith("POST"))).toEqual([]);
    expect(studio.problems).toEqual([]);
  });

  test("91 a lost connection is told, tried again, and nothing is missing or doubled", async () => {
    await using network = await badNetwork(world.server.port);
    const { origin } = network;
    await using studio = await openStudio(
      browser!,
      { origin, link: `${origin}/studio/?token=${token}` },
      "#/ask",
    );
    const { page } = studio;
    gate.after(6);
    await page.fill("textarea", "Echo sandpiper in 30 steps.");
    await page.click("button[type=submit]");
    await expect.poll(() => decided(page).count(), { timeout: 20_000 }).toBeGreaterThan(3);
    network.cut();
    await expectText(page, "The connection is lost");
    expect(await decided(page).count()).toBeGreaterThan(3);
    network.heal();
    gate.open();
    await page.waitForSelector(".status.good", { timeout: 30_000 });
    const all = await texts(page);
    expect(all).toHaveLength(30);
    expect(new Set(all).size).toBe(30);
    expect(studio.problems).toEqual([]);
  });

  test("91 a restart of the server is survived, and the run goes on where it was", async () => {
    await using studio = await openStudio(browser!, world, "#/ask");
    const { page } = studio;
    gate.after(6);
    await page.fill("textarea", "Echo bittern in 40 steps.");
    await page.click("button[type=submit]");
    await expect.poll(() => decided(page).count(), { timeout: 20_000 }).toBeGreaterThan(3);
    const run = await page.evaluate("location.hash");
    await world.stop();
    await page.waitForSelector("text=Go on");
    const before = await texts(page);
    expect(before.length).toBeGreaterThan(3);
    await studio.go("#/runs");
    await expectText(page, "The server does not answer");
    gate.open();
    await world.start();
    // The list comes back by itself, and the same door is open.
    await expectText(page, "Echo bittern");
    await expect.poll(() => page.locator(".notice.bad").count(), { timeout: 20_000 }).toBe(0);
    await studio.go(String(run));
    await page.click("text=Go on");
    await page.waitForSelector(".status.good", { timeout: 20_000 });
    const after = await texts(page);
    expect(after).toHaveLength(40);
    expect(after.slice(0, before.length)).toEqual(before);
    expect(studio.problems).toEqual([]);
  });
});

function written(node: string, parent: string): TraceEvent {
  const usage = { prefillTokens: 0, recomputedTokens: 0, decodeTokens: 1, flops: 1, seconds: 0 };
  return {
    ...{ type: "step-written", node, parent, role: "draft", origin: "draft", text: `step ${node}\n\n` },
    ...{
      tokens: [1],
      vocabulary: "v",
      logprobs: [-0.1],
      entropies: [0.2],
      stop: "delimiter",
      finish: null,
      usage,
    },
  } as TraceEvent;
}

/** Steps that are no longer provisional. */
function decided(page: Page) {
  return page.locator(".step:not(.undecided) > .step-row");
}

function texts(page: Page): Promise<string[]> {
  return decided(page).locator(".step-text").allTextContents();
}
