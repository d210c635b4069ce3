// RSD on the small models that come with stepwright, with the reward that costs nothing: the draft's own confidence.
//   node examples/lab-rsd.js
// With other models: their files in place of `lab:...`, and `confidence` or `judge:target` in place of `lab:reward`.
import {
  loadHead,
  loadHeadFacts,
  methods,
  openLlama,
  openReward,
  resolveModelFile,
  startRun,
} from "stepwright";

const draft = await openLlama(await resolveModelFile("lab:draft"));
const target = await openLlama(await resolveModelFile("lab:target"));
const models = { draft, target };
const reward = await openReward("lab:reward", {
  openModel: async (reference) => models[reference],
  loadHead: async (reference, names) => loadHead(await resolveModelFile(reference), names),
  loadHeadFacts: async (reference) => loadHeadFacts(await resolveModelFile(reference)),
});

const run = startRun({
  method: await methods.get("rsd"),
  options: { threshold: 0.9 },
  question: "Leo has 44 beads. Finds 11. Gets 10. Gives 31. Modulo 5. Times 7. How many?",
  roles: { ...models, reward },
});
const { steps, ledger } = await run.result;
for (const { origin, text, reward: sure, rejected } of steps) {
  for (const { text: weak, reward: doubt } of rejected)
    console.log(`(draft, ${doubt.toFixed(2)}: ${weak.trim()})`);
  console.log(`${origin}${sure === null ? "" : `, ${sure.toFixed(2)}`}: ${text.trim()}`);
}
for (const role of ["draft", "target", "reward"]) {
  const { prefillTokens, decodeTokens, flops } = ledger[role];
  console.log(`${role}: read ${prefillTokens}, wrote ${decodeTokens}, ${(flops / 1e6).toFixed(1)} MFLOPs`);
}
for (const model of [draft, target]) await model[Symbol.asyncDispose]();
