/** The recorded run at other options: the method itself runs again, on the recorded answers. */
import { z } from "zod";
import { StepwrightError } from "../../../src/core/errors.js";
import type { TraceEvent } from "../../../src/core/trace-event.js";
import { type WhatIf, whatIf } from "../../../src/core/what-if.js";
import { methods } from "../../../src/methods/index.js";
import type { Decision, Supposition } from "./protocol.js";
import { type RunTree, treeOf } from "./run-tree.js";

type Options = Readonly<Record<string, unknown>>;

export interface Supposer {
  readonly schema: Record<string, unknown>;
  readonly options: Options;
  readonly decisions: readonly Decision[];
  suppose(options: Options): Promise<Supposition>;
}

/** Throws for a run of a method that this version does not know. */
export async function supposer(events: readonly TraceEvent[]): Promise<Supposer> {
  const tree = treeOf(events);
  const { started } = tree;
  if (!started) throw new Error("the recording has no beginning");
  const method = await methods.get(started.method);
  const ask = await whatIf(events, method);
  const recorded = decisionsOf(events, tree);
  return {
    schema: z.toJSONSchema(method.schema, { io: "input" }) as Record<string, unknown>,
    options: started.options,
    decisions: recorded,
    async suppose(options) {
      try {
        return supposition(options, await ask(options), recorded, tree);
      } catch (error) {
        const problem = StepwrightError.from(error).message;
        return { options, problem, known: false, same: false, decisions: [], changed: null, text: "" };
      }
    },
  };
}

function supposition(
  options: Options,
  { events, node }: WhatIf,
  recorded: readonly Decision[],
  before: RunTree,
): Supposition {
  const tree = treeOf(events);
  const decisions = decisionsOf(events, tree);
  const changed = decisions.find(({ kept }, index) => kept !== recorded[index]?.kept) ?? null;
  const path = node === null ? tree.chosenPath() : pathTo(tree, node);
  const end = before.end?.type === "run-finished" ? before.end.node : null;
  return {
    options,
    problem: null,
    known: node !== null,
    same: node !== null && node === end,
    decisions,
    changed,
    text: path.map(({ text }) => text).join(""),
  };
}

function pathTo(tree: RunTree, id: string) {
  const path = [];
  for (let at = tree.node(id); at?.parent; at = at.parent) path.push(at);
  return path.reverse();
}

/** What was decided by a coin's toss; where a method tosses none, what it kept and threw away. */
function decisionsOf(events: readonly TraceEvent[], tree: RunTree): Decision[] {
  const tossed = events.some(({ type }) => type === "coin-tossed");
  const advised = new Map(
    events.flatMap((event) => (event.type === "threshold-advised" ? [[event.node, event.value]] : [])),
  );
  return events.flatMap((event) => {
    const kept = tossed ? event.type === "coin-tossed" && event.heads : event.type === "step-committed";
    const counts = tossed
      ? event.type === "coin-tossed"
      : event.type === "step-committed" || event.type === "step-pruned";
    if (!counts || !("node" in event)) return [];
    const node = tree.node(event.node);
    if (!node) return [];
    const { id, depth: number, reward, text } = node;
    const threshold = advised.get(node.parent?.id ?? "") ?? null;
    return [{ node: id, number, kept, reward, threshold, text: text.slice(0, 200) }];
  });
}
