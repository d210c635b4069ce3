/** One run on the command line, from what was asked to the exit code. */
import { StepwrightError } from "../core/errors.js";
import type { LedgerData } from "../core/ledger.js";
import type { Method } from "../core/method.js";
import type { StepCheck } from "../core/reward.js";
import { type Run, type RunRequest, type RunResult, startRun } from "../core/run.js";
import type { Role } from "../core/search.js";
import { cutOf, type TraceEvent } from "../core/trace-event.js";
import { answerRules } from "../grade/answer-rules.js";
import { extractAnswer } from "../grade/extract.js";
import { sameAnswer } from "../grade/index.js";
import { hubSettings } from "../models/hub-settings.js";
import { findTask } from "../tasks/index.js";
import type { CommandContext } from "./command.js";
import { isDemo } from "./demo/models.js";
import { ledgerLines, shareSentence, speculationSentences } from "./ledger-lines.js";
import { createView, type View } from "./live-view.js";
import { ModelStore } from "./model-store.js";
import { count } from "./numbers.js";
import type { References } from "./references.js";
import type { RunTrace } from "./run-trace.js";
import { shellWord } from "./shell-word.js";
import { calibrationFolder } from "./state-folder.js";
import { targetAloneLine } from "./target-alone.js";
import { harmless, paragraph } from "./terminal-text.js";
import { warnOtherSteps } from "./warn-other-steps.js";

export type OutputForm = "text" | "json" | "events";

export interface Session {
  readonly method: Method;
  readonly request: Omit<RunRequest, "method" | "roles" | "signal" | "references" | "sink">;
  readonly references: References;
  /** Null: nothing is kept. */
  readonly trace: RunTrace | null;
  readonly form: OutputForm;
}

export function rolesOf(method: Method): Role[] {
  return (["draft", "target", "reward"] as const).filter((role) => method.needs[role]);
}

export async function runSession(context: CommandContext, session: Session): Promise<number> {
  const { method, references, trace, form } = session;
  const { signal } = context;
  await using store = new ModelStore(references, {
    ...{ hub: hubSettings(context.host.environment), signal },
    calibration: calibrationFolder(context.host),
  });
  const roles = rolesOf(method);
  const slow = roles.some((role) => !isDemo(references[role] ?? ""));
  if (slow && context.host.talk.isTerminal) context.say(context.talkStyle.dim("opening models …"));
  const run = await startSession(context, session, store).catch(async (error) => {
    await trace?.discard();
    throw error;
  });
  const events: TraceEvent[] = [];
  try {
    await follow(context, run, form, events);
    const result = await run.result;
    if (form === "json") context.printJson(contractObject(result));
    if (form === "text") printResult(context, result, events);
  } finally {
    if (events.length === 0) await trace?.discard();
    else sayWhereTraceIs(context, trace, events);
  }
  return 0;
}

async function startSession(
  context: CommandContext,
  { method, request, references, trace }: Session,
  store: ModelStore,
): Promise<Run> {
  const roles = rolesOf(method);
  const opened = {
    draft: roles.includes("draft") ? await store.model("draft") : undefined,
    target: roles.includes("target") ? await store.model("target") : undefined,
    reward: roles.includes("reward") ? await store.reward() : undefined,
  };
  if (opened.reward) warnOtherSteps(context, opened.reward, request.splitter);
  const checkStep = references.task && (await stepCheckOf(references.task, request.question));
  return startRun({
    ...request,
    ...(checkStep && { checkStep }),
    method,
    roles: opened,
    answers: answerRules({ sameAnswer }),
    signal: context.signal,
    references: { ...references },
    sink: trace?.sink,
  });
}

/** The task's verdict on steps of this question; undefined where it checks none. Throws `unknown-name`. */
export async function stepCheckOf(name: string, question: string): Promise<StepCheck | undefined> {
  const task = await findTask(name);
  const asked = { id: "", question, reference: "" };
  return task.checkStep && ((before, step) => task.checkStep!(asked, before, step));
}

/** Shows the run as it goes, and keeps its events. */
async function follow(
  context: CommandContext,
  run: Run,
  form: OutputForm,
  events: TraceEvent[],
): Promise<void> {
  const view = viewFor(context, form);
  try {
    for await (const event of run) {
      view?.take(event);
      if (event.type === "text-written") continue;
      events.push(event);
      if (form === "events") context.host.out.write(`${JSON.stringify(event)}\n`);
    }
  } finally {
    view?.close();
  }
}

/** The steps are the data of the text form; beside JSON they are talk, for a person who watches. */
function viewFor({ host, style, talkStyle }: CommandContext, form: OutputForm): View | undefined {
  const movable = host.environment.TERM !== "dumb";
  if (form === "text") return createView(host.out, style, host.out.isTerminal && movable);
  return form === "json" && host.talk.isTerminal ? createView(host.talk, talkStyle, movable) : undefined;
}

/** What `solve --json` prints: DESIGN, section 6. */
export function contractObject({ text, finish, method, seed, steps, ledger }: RunResult) {
  return { answer: extractAnswer(text), text, finish, method, seed, steps, ledger };
}

const finishWords: Readonly<Record<RunResult["finish"], string>> = {
  stop: "finished",
  length: "cut at its greatest length",
  stalled: "stopped because it went in circles",
  budget: "stopped because the budget is spent",
  abort: "stopped before its end",
};

export function printResult(context: CommandContext, result: RunResult, events: readonly TraceEvent[]): void {
  const { print, style } = context;
  const steps = result.steps.length === 1 ? "1 step" : `${count(result.steps.length)} steps`;
  print("");
  print(`${style.bold("Answer:")} ${harmless(extractAnswer(result.text)) || style.dim("none found")}`);
  print(
    style.dim(`method ${result.method}, seed ${result.seed}: ${finishWords[result.finish]} after ${steps}`),
  );
  print("");
  printLedger(context, result.ledger);
  const estimate = targetAloneLine(events, result.ledger.total.flops);
  if (estimate) print(paragraph(estimate, context.host.out));
}

export function printLedger({ host, print, style }: CommandContext, ledger: LedgerData): void {
  for (const line of ledgerLines(ledger, style)) print(line);
  for (const sentence of speculationSentences(ledger)) print(paragraph(sentence, host.out));
  const shares = shareSentence(ledger);
  if (shares) print(paragraph(shares, host.out));
}

function sayWhereTraceIs(
  { say, talkStyle }: CommandContext,
  trace: RunTrace | null,
  events: readonly TraceEvent[],
): void {
  const last = events.at(-1);
  const done = last?.type === "run-finished" && cutOf(last) !== "abort";
  // Where storage failed under way, the sink has said so.
  if (!trace || trace.sink.failure) return;
  if (done) say(talkStyle.dim(`trace: ${trace.path}`));
  else say(`The trace is kept. Go on with: stepwright solve --resume ${shellWord(trace.path)}`);
}

/** Refuses two forms at once. */
export function outputForm({
  json,
  events,
}: {
  readonly json: boolean;
  readonly events: boolean;
}): OutputForm {
  if (json && events) {
    throw new StepwrightError("invalid-option", "--json and --events exclude each other", {
      subject: "--events",
      remedy: "take --json for the result, --events for everything as it happens",
    });
  }
  return json ? "json" : events ? "events" : "text";
}
