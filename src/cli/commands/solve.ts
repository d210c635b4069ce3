import { resolve } from "node:path";
import { StepwrightError } from "../../core/errors.js";
import { checkRequest } from "../../core/run-request.js";
import { methods } from "../../methods/index.js";
import { hubSettings } from "../../models/hub-settings.js";
import { findTask } from "../../tasks/index.js";
import { type CommandContext, defineCommand } from "../command.js";
import { ModelStore } from "../model-store.js";
import { readQuestion } from "../read-question.js";
import { printRecorded } from "../recorded-run.js";
import { readRun, resumeSession } from "../resume.js";
import { type OutputForm, outputForm, rolesOf, runSession } from "../run-session.js";
import { newTrace } from "../run-trace.js";
import { referencesOf, refuseOtherQuestions, requestOf } from "../solve-request.js";
import { solveSchema } from "../solve-settings.js";

export default defineCommand({
  operands: "[PROBLEM | -]",
  operandLimit: 1,
  description:
    "Answers PROBLEM, or what standard input holds. Shows the steps as they are decided, coloured by who wrote them, with their rewards, then the answer and what it cost.",
  examples: [
    'stepwright solve --draft small.gguf --target large.gguf "What is 17 * 23?"',
    "stepwright solve --method target --target large.gguf --json - < problem.txt",
    "stepwright solve --threshold 0.6 --budget target-tokens=500 --config pair.json PROBLEM",
    "stepwright solve --resume ~/.cache/stepwright/runs/ID.jsonl",
  ],
  schema: solveSchema,
  layered: true,
  async moreFlags(peek) {
    const method = await methods.get(String(peek("method")));
    return { title: `Options of method ${method.name}`, schema: method.schema };
  },
  async run(context, settings, [problem], options, given) {
    const form = outputForm(settings);
    if (settings.resume !== undefined) {
      refuseBesideResume(given, problem);
      return resume(context, resolve(context.host.workingFolder, settings.resume), form);
    }
    const method = await methods.get(settings.method);
    const request = { ...requestOf(settings), options, question: await readQuestion(problem, context) };
    // All that can be refused without a model is refused before one is looked for.
    checkRequest({ ...request, method: { ...method, needs: {} }, roles: {} });
    const roles = rolesOf(method);
    const hub = hubSettings(context.host.environment);
    if (settings.task !== undefined) await findTask(settings.task);
    const references = {
      ...(await referencesOf(settings, context, roles, hub)),
      ...(settings.task !== undefined && { task: settings.task }),
    };
    await new ModelStore(references, { hub }).check(roles);
    refuseOtherQuestions(references, request.question);
    const trace = await newTrace(context, settings);
    return runSession(context, {
      method,
      request: { ...request, ...(trace ? { id: trace.run } : {}) },
      references,
      trace,
      form,
    });
  },
});

async function resume(context: CommandContext, path: string, form: OutputForm): Promise<number> {
  const read = await readRun(context, path);
  if (!read.recorded.finished) return runSession(context, await resumeSession(context, read, form));
  context.say("This run is finished: what follows is its recorded result.");
  await printRecorded(context, read.recorded, form);
  return 0;
}

/** The settings of a resumed run stand in its trace. */
function refuseBesideResume(given: ReadonlyMap<string, string>, problem: string | undefined): void {
  const surplus = [...given].find(
    ([key, origin]) => origin.startsWith("-") && !["resume", "json", "events"].includes(key),
  );
  const word = surplus?.[1] ?? problem;
  if (word === undefined) return;
  throw new StepwrightError("invalid-option", `--resume takes its settings from the trace, not ${word}`, {
    subject: word,
    remedy: "give --resume FILE alone, or start a new run without it",
  });
}
