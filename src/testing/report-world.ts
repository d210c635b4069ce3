/** A bench folder's report over scripted models, with names and answers that try to break out of it. */
import { benchReport } from "../bench/report/bench-report.js";
import type { BenchResult } from "../bench/result.js";
import { summarise } from "../bench/summary.js";
import { benchRoles, runBenchWorld } from "./bench-world.js";

/** What no report may ever execute, in text and in attributes. */
export const hostileText = `</text></style><script>document.title="broken out"</script><img src=x onerror="document.title='broken out'">"'&\u0000\u001b[31m\ud800`;

export async function reportWorld(folder: string, { hostile = false, questions = 30 } = {}) {
  const { plan, results } = await runBenchWorld(folder, {
    questions,
    methods: "draft,target,rsd:threshold=0.1..0.9/0.2,rsd:weight=sigmoid",
    baselines: { samples: 4, temperature: 1 },
  });
  const { draft, target } = benchRoles();
  const shown = hostile ? results.map(spoilt) : results;
  const spoiltPlan = hostile
    ? { ...plan, questions: plan.questions.map((question) => ({ ...question, question: hostileText })) }
    : plan;
  const task = hostile ? hostileText : "sums";
  const summary = summarise(task, spoiltPlan, shown, { sizes: { draft: draft.size, target: target.size } });
  const file = {
    identity: "0123456789abcdef",
    configuration: {
      version: 1,
      task: { name: task, offset: 0, limit: questions, grading: "math", questions: "" },
      seeds: [0],
      methods: [],
      request: {},
      references: hostile ? { draft: hostileText } : {},
    },
    models: { draft: { name: task }, target: { name: "bench-target" } },
  };
  return benchReport(summary, spoiltPlan, shown, { file });
}

function spoilt(result: BenchResult): BenchResult {
  const [first, ...rest] = result.steps;
  const text = `${hostileText}${result.text}`;
  return first
    ? {
        ...result,
        text,
        steps: [{ ...first, length: (first.length ?? 0) + hostileText.length, origin: hostileText }, ...rest],
      }
    : result;
}
