/** A page of the studio in a real Chromium that may speak to its own server and to nobody else. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import type { StudioWorld } from "../studio/world.js";

export interface StudioPage extends AsyncDisposable {
  readonly page: Page;
  /** What went wrong in the page, and requests to anybody else. */
  readonly problems: string[];
  go(hash: string): Promise<void>;
}

export async function openStudio(
  browser: Browser,
  { link, origin }: Pick<StudioWorld, "link" | "origin">,
  hash = "",
  options: BrowserContextOptions = {},
): Promise<StudioPage> {
  const page = await browser.newPage(options);
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    // A server that is away shows in the console of any page that asks it.
    if (message.type() === "error" && !message.text().includes("ERR_CONNECTION"))
      problems.push(message.text());
  });
  await page.route("**/*", async (route) => {
    const url = route.request().url();
    if (url.startsWith(`${origin}/`)) return route.continue();
    problems.push(`asked for ${url}`);
    return route.abort();
  });
  await page.goto(link + hash);
  await page.waitForSelector("main");
  return {
    page,
    problems,
    async go(next) {
      await page.evaluate(`location.hash = ${JSON.stringify(next)}`);
    },
    async [Symbol.asyncDispose]() {
      await page.context().close();
    },
  };
}

/** The text of the page's content, waited for. */
export async function expectText(page: Page, text: string | RegExp): Promise<void> {
  await expect.poll(() => page.locator("main").textContent(), { timeout: 20_000 }).toMatch(text);
}
