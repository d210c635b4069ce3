import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { needsText } from "../../src/cli/commands/methods.js";
import { expectation, flagsOf } from "../../src/cli/flags.js";
import type { Method } from "../../src/core/method.js";
import { methods } from "../../src/methods/index.js";

const introduction = `# Methods

Generated from the methods themselves: \`npx vitest run test/docs/methods.test.ts -u\` writes it anew. Which one to use,
with figures: [which-method.md](which-method.md). Costs are counted as in [ARCHITECTURE.md](../ARCHITECTURE.md), Accounting.
Beside what its own tests hold a method to, it passes the nine conformance cases of \`src/testing/conformance-cases.ts\`;
what it skips there, and why, stands in \`test/conformance/methods.test.ts\`.
`;

function row({ name, essence, needs, cost, use }: Method): string {
  return line([`[${name}](#${name})`, essence, needsText(needs), cost ?? "", use ?? ""]);
}

function section(method: Method): string {
  const options = flagsOf(method.schema).map((flag) =>
    line([`\`--${flag.name}\``, expectation(flag), String(flag.initial ?? ""), flag.description]),
  );
  const table = ["| option | takes | default | meaning |", "|---|---|---|---|", ...options];
  const tests = testTitles(method.name).map((title) => `- ${title}`);
  return [
    `## ${method.name}`,
    `${method.essence}. Source: ${method.source}.`,
    options.length > 0 ? table.join("\n") : "No options.",
    ...(tests.length > 0 ? [`Its tests hold it to:\n\n${tests.join("\n")}`] : []),
  ].join("\n\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

/** What the tests beside the method say that they hold it to. */
function testTitles(name: string): string[] {
  const path = fileURLToPath(new URL(`../../src/methods/${name}.test.ts`, import.meta.url));
  if (!existsSync(path)) return [];
  const calls = readFileSync(path, "utf8").matchAll(
    /^\s*(?:test|it)(?:\.each\([^)]*\))?\(\s*(["'`])(.+?)\1,/gms,
  );
  return [...calls].map(([, , title]) => title!);
}

it("docs/methods.md is what the methods say of themselves", async () => {
  const all = await methods.all();
  const table = [
    "| method | what it does | needs | cost of an answer | use it for |",
    "|---|---|---|---|---|",
    ...all.map(row),
  ].join("\n");
  const page = [introduction, table, "", ...all.map(section)].join("\n\n").replaceAll(/\n{3,}/g, "\n\n");
  await expect(`${page}\n`).toMatchFileSnapshot("../../docs/methods.md");
});
