// A reward of one's own, and RSD with it. Scripted models stand in for real ones, so this runs anywhere:
//   node examples/own-reward.js
// With weights: `await openLlama("draft.gguf")` in place of each ScriptedModel.
import { methods, startRun } from "stepwright";
import { ScriptedModel, ScriptedReward } from "stepwright/testing";

/** A model that always writes the same step in a given place. */
const writes = (name, texts) =>
  new ScriptedModel({
    name,
    law: {
      steps: (_question, steps) => [{ text: texts[steps.length], probability: 1, end: steps.length === 2 }],
    },
  });
const first = "6 bags of 4 apples are 24 apples.\n\n";
const draft = writes("draft", [first, "24 - 5 = 18 apples are left.\n\n", "The answer is \\boxed{19}."]);
const target = writes("target", [first, "24 - 5 = 19 apples are left.\n\n", "\\boxed{19}"]);

// The reward checks the arithmetic: a sum that does not come out right is worth nothing.
const reward = new ScriptedReward({
  score: (_question, steps) => {
    const sum = /(\d+) - (\d+) = (\d+)/.exec(steps.at(-1));
    return sum && Number(sum[1]) - Number(sum[2]) !== Number(sum[3]) ? 0 : 1;
  },
});

const run = startRun({
  method: await methods.get("rsd"),
  question: "6 bags hold 4 apples each, 5 are eaten. How many are left?",
  roles: { draft, target, reward },
});
for await (const event of run) {
  if (event.type === "step-written") console.log(`${event.role.padEnd(6)} ${JSON.stringify(event.text)}`);
}
const { steps, ledger } = await run.result;
console.log(
  `${steps.filter(({ origin }) => origin === "target").length} of ${steps.length} steps are the target's;`,
);
console.log(
  `the draft wrote ${ledger.draft.decodeTokens} tokens and threw ${ledger.draft.discardedTokens} away`,
);
