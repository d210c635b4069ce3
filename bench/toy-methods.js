/**
 * Search methods on problems with a known optimum, at equal budgets: share of right answers, tokens written and reward
 * passes per problem, by the reward's noise.
 *
 *   npm run build && node bench/toy-methods.js [--problems 200] [--noise 0,0.15,0.3,0.5]
 */
import { parseArgs } from "node:util";
import { toyPlanScore, toyPlans } from "../dist/testing/toy-plans.js";

const { values } = parseArgs({
  options: {
    problems: { type: "string", default: "200" },
    noise: { type: "string", default: "0,0.15,0.3,0.5" },
  },
});
const problems = Number(values.problems);
const budgets = [1, 2, 4, 8, 16];

console.log(
  `${problems} problems of six steps; a sampled step is right with probability 0.6, an answer with 0.047.`,
);
console.log("Each cell: right answers ± standard error, percent (tokens written, reward passes).\n");
for (const noise of values.noise.split(",").map(Number)) {
  console.log(`reward wrong on ${100 * noise} % of prefixes\n`);
  console.log(`| method | ${budgets.map((n) => `${n} answer${n > 1 ? "s" : ""}`).join(" | ")} |`);
  console.log(`|---|${budgets.map(() => "---").join("|")}|`);
  for (const name of Object.keys(toyPlans)) {
    const cells = [];
    for (const n of budgets) {
      const { success, error, tokens, passes } = await toyPlanScore(name, n, problems, { noise });
      const share = `${(100 * success).toFixed(0)} ± ${(100 * error).toFixed(0)}`;
      cells.push(`${share} (${tokens.toFixed(0)}, ${passes.toFixed(0)})`);
    }
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
  console.log("");
}
