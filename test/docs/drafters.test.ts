import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { rules } from "../../src/accept/index.js";
import { expectation, flagsOf } from "../../src/cli/flags.js";
import type { AcceptanceRule, Drafter } from "../../src/core/speculation.js";
import { drafters } from "../../src/drafts/index.js";

const introduction = `# Drafters

Generated from the drafters themselves: \`npx vitest run test/docs/drafters.test.ts -u\` writes it anew. A drafter guesses
what the target is about to write; the target reads all guesses in one pass, and an acceptance rule decides which stay.
A drafter never decides whether anything is lost: it tells the law that each guess was drawn from, and a rule is exact for
the kinds of proposals that it names.

- **point**: chosen without chance (looked up, recycled, most probable). Under a lossless rule it is kept with the
  target's own probability of it, so for drafters of points alone the rule \`agreement\` keeps as much as any other, and
  writes what plain decoding writes, bit for bit.
- **independent**, **without-replacement**: drawn from a law that is told with it: a draft model's row cut to its \`head\`
  most probable tokens, tempered and truncated as the request says, renormalised. Exact for that law. The rejection rules
  keep such drafts more often than \`agreement\` does.
`;

const sharing = `## What is remembered, and who shares it

A drafter is opened once for a target, and its sessions, one per branch, share what the opened drafter remembers:
\`suffix\` the latest \`memory\` tokens of what was written, \`recycling\` one row of successors per token of the vocabulary,
\`retrieval\` the texts it was given. All of it is bounded, belongs to one model, and ends with the opened drafter; two
opened drafters share nothing. What is drafted for one branch can thus depend on what another one wrote, and with it the
time that a block takes. Where users must not learn of each other, open a drafter for each of them. What is *written*
depends on it only under rules other than \`agreement\` at temperatures above 0, and there its law does not.

\`beam-forest\` and \`jacobi\` remember something of their own branch alone; the others nothing but a draft model's cache.
`;

const notDone = `## What a drafter here does not do

- **Trained heads** on the target's hidden states (Medusa, EAGLE) are no part of this: they need training for each target.
  The seam is there: the rows that \`learn\` is told of can carry \`hidden\`.
- \`beam-forest\` drafts with DSBD's beams and keeps one text after each block, as the paper's lean variant does: its law
  is the target's own, not that of beam sampling.
- \`rapid\` drafts from the shortened prompt; the paper also moves the target's law towards the draft's, which changes what
  is written. Retrieval is by tf-idf over tokens instead of a text embedding model.
- \`retrieval\` follows our reading where the paper is silent: estimates are the draft model's own where it drafted, and
  shares of what followed elsewhere.

## Write your own

An object with \`open\`, sessions with \`propose\`: [examples/own-drafter.js](../examples/own-drafter.js), which a test runs.
What every drafter is held to stands in \`src/drafts/drafters.test.ts\`; \`src/testing/draft-world.ts\` has toy models.
`;

const all = await drafters.all();
const lossless = (await rules.all()).filter((rule) => rule.lossless);

function row({ name, essence, shape, needsDraft, cost, use }: Drafter): string {
  return line([`[${name}](#${name})`, essence, shape, needsDraft ? "yes" : "no", cost, use]);
}

/** A rule is exact for a drafter if it is for each kind that the drafter may propose. */
function exactRules({ proposals }: Drafter): string {
  const exact = (rule: AcceptanceRule) => proposals.every((kind) => rule.proposals.includes(kind));
  const partly = (rule: AcceptanceRule) =>
    !exact(rule) && proposals.some((kind) => rule.proposals.includes(kind));
  const names = (test: (rule: AcceptanceRule) => boolean) => lossless.filter(test).map(({ name }) => name);
  const some = names(partly);
  return `Loses nothing with ${names(exact).join(", ")}${some.length > 0 ? `; with ${some.join(", ")} where its options leave only kinds that those test` : ""}.`;
}

function section(drafter: Drafter): string {
  const { name, essence, source, schema, proposals } = drafter;
  const options = flagsOf(schema).map((flag) =>
    line([`\`${flag.key}\``, expectation(flag), String(flag.initial ?? ""), flag.description]),
  );
  const table = ["| option | takes | default | meaning |", "|---|---|---|---|", ...options];
  return [
    `## ${name}`,
    `${essence}. Source: ${source}.`,
    `Proposes: ${proposals.join(", ")}. ${exactRules(drafter)}`,
    table.join("\n"),
    `Its tests hold it to:\n\n${testTitles(name)
      .map((title) => `- ${title}`)
      .join("\n")}`,
  ].join("\n\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

/** What the tests beside the drafter say that they hold it to. */
function testTitles(name: string): string[] {
  const path = fileURLToPath(new URL(`../../src/drafts/${name}.test.ts`, import.meta.url));
  expect(existsSync(path), `${name} has tests`).toBe(true);
  const calls = readFileSync(path, "utf8").matchAll(/^\s*test(?:\.each\([^)]*\))?\(\s*(["'`])(.+?)\1,/gms);
  return [...calls].map(([, , title]) => title!);
}

it("docs/drafters.md is what the drafters say of themselves", async () => {
  const table = [
    "| drafter | its drafts | shape | needs a draft model | cost of a block | use it for |",
    "|---|---|---|---|---|---|",
    ...all.map(row),
  ].join("\n");
  const page = [introduction, table, "", ...all.map(section), sharing, notDone]
    .join("\n\n")
    .replaceAll(/\n{3,}/g, "\n\n");
  await expect(`${page.trimEnd()}\n`).toMatchFileSnapshot("../../docs/drafters.md");
});
