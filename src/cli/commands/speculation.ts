import { z } from "zod";
import { rules } from "../../accept/index.js";
import type { Method } from "../../core/method.js";
import type { AcceptanceRule, Controller, Drafter } from "../../core/speculation.js";
import { drafters } from "../../drafts/index.js";
import { controllers } from "../../speculation/controllers/index.js";
import { type CommandContext, defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { expectation, flagsOf } from "../flags.js";
import { tableLines } from "../table.js";

export default defineCommand({
  operands: "[NAME]",
  operandLimit: 1,
  description:
    "Lists what can draft tokens, how drafts are tested, and what says how much is drafted; for one NAME, its options, which are written behind it: fixed?depth=3. Taken by --speculate, --speculate-rule and --speculate-controller.",
  examples: [
    "stepwright speculation",
    "stepwright speculation model",
    "stepwright solve --method target --target large.gguf --speculate lookup PROBLEM",
  ],
  schema: z.object({ json: jsonField }),
  async run(context, { json }, [name]) {
    const [drafting, testing, controlling] = await Promise.all([
      drafters.all(),
      rules.all(),
      controllers.all(),
    ]);
    if (json) {
      context.printJson({
        drafters: drafting.map(describeDrafter),
        rules: testing.map(describeRule),
        controllers: controlling.map(describe),
      });
      return 0;
    }
    if (name !== undefined) {
      const found = [...drafting, ...testing, ...controlling].filter((entry) => entry.name === name);
      if (found.length === 0) await drafters.get(name);
      for (const entry of found) printOptions(context, entry);
      return 0;
    }
    print(context, "drafters (--speculate)", ["needs", "shape"], drafting, ({ needsDraft, shape }) => [
      needsDraft ? "a draft model" : "",
      shape,
    ]);
    print(context, "rules (--speculate-rule)", ["lossless"], testing, ({ lossless }) => [
      lossless ? "yes" : "no",
    ]);
    print(context, "controllers (--speculate-controller)", [], controlling, () => []);
    return 0;
  },
});

type Described = Pick<Method, "name" | "essence" | "source" | "schema">;

function describe({ name, essence, source, schema }: Described) {
  return { name, essence, source, options: z.toJSONSchema(schema, { io: "input" }) };
}

function describeDrafter(drafter: Drafter) {
  const { shape, needsDraft, proposals, cost, use } = drafter;
  return { ...describe(drafter), shape, needsDraft, proposals, cost, use };
}

function describeRule(rule: AcceptanceRule) {
  const { lossless, proposals } = rule;
  return { ...describe(rule), lossless, proposals };
}

function print<Entry extends Drafter | AcceptanceRule | Controller>(
  { print, style }: CommandContext,
  title: string,
  columns: readonly string[],
  entries: readonly Entry[],
  cells: (entry: Entry) => string[],
): void {
  const titles = [title, ...columns, "essence"].map((title) => ({ title }));
  const rows = entries.map((entry) => [entry.name, ...cells(entry), entry.essence]);
  const [head, ...lines] = tableLines(titles, rows);
  for (const line of [style.bold(head!), ...lines, ""]) print(line);
}

function printOptions({ print, style }: CommandContext, { name, essence, source, schema }: Described): void {
  print(`${style.bold(name)}: ${essence}`);
  print(`Source: ${source}`);
  const rows = flagsOf(schema).map((flag) => [
    `  ${flag.key}`,
    expectation(flag),
    flag.initial === undefined ? "" : `default ${String(flag.initial)}`,
    flag.description,
  ]);
  const titles = ["Options:", "", "", ""].map((title) => ({ title }));
  if (rows.length > 0) for (const line of tableLines(titles, rows)) print(line);
}
