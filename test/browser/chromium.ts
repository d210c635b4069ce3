/** A real Chromium, where this machine has one. */
import { access } from "node:fs/promises";
import { type Browser, chromium } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** CHROMIUM names another one. Undefined, with a loud word, where there is none. */
export async function openChromium(): Promise<Browser | undefined> {
  const named = process.env.CHROMIUM;
  for (const executablePath of named ? [named] : places) {
    const isThere = await access(executablePath).then(
      () => true,
      () => false,
    );
    // Containers that run as root have no sandbox to give it.
    if (isThere) return chromium.launch({ executablePath, args: ["--no-sandbox"] });
  }
  console.warn("SKIPPED: no Chromium is installed; name one in CHROMIUM to test pages in a real browser");
  return undefined;
}
