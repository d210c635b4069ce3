/**
 * The engine's process: owns every native handle, so that a crash in native code ends this process and becomes
 * an error of the runs, not the end of the program. Started by `engine.ts`; speaks `protocol.ts`.
 */
import { StepwrightError } from "../../core/errors.js";
import { invariantBatchTokens, isBatchInvariant } from "../../native/batch-invariance.js";
import { loadLlamaNativeModel } from "../../native/llama-native-model.js";
import type { NativeModel, NativeModelOptions } from "../../native/native-model.js";
import { loadGraphNativeModel } from "../graph/graph-native-model.js";
import type { Answers, Call, FromEngine, Input, ToEngine } from "./protocol.js";
import { Scheduler } from "./scheduler.js";

interface Loaded {
  readonly native: NativeModel;
  readonly scheduler: Scheduler;
}

const beatMilliseconds = 1000;

const models = new Map<number, Loaded>();

/** Answers of one turn of the event loop go out in one packet. */
let outbox: FromEngine[] = [];

function send(message: FromEngine): void {
  if (outbox.length === 0) {
    setImmediate(() => {
      const packet = outbox;
      outbox = [];
      process.send?.(packet);
    });
  }
  outbox.push(message);
}

/** One decode at a time over all models: two on the same cores only stall each other. */
let lastDecode: Promise<unknown> = Promise.resolve();

function lock<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = lastDecode.then(work);
  lastDecode = result.catch(() => {});
  return result;
}

function loaded(model: number): Loaded {
  const found = models.get(model);
  if (!found) throw new StepwrightError("engine-failed", "the model is not loaded in the engine");
  return found;
}

/** How many tokens may share a decode without touching each other's bits: as many as were seen not to, else one. */
async function exactBatch(native: NativeModel, { threads = 1 }: NativeModelOptions): Promise<number> {
  if (threads > 1) return 1;
  return (await lock(() => isBatchInvariant(native))) ? invariantBatchTokens : 1;
}

function toTokens(native: NativeModel, input: Input): readonly number[] {
  if (typeof input === "string") return native.tokenize(input, { addSpecial: false, parseSpecial: false });
  checkTokens(native, input);
  return input;
}

function checkTokens(native: NativeModel, tokens: readonly number[]): void {
  const size = native.info.vocabularySize;
  const wrong = tokens.find((token) => !Number.isInteger(token) || token < 0 || token >= size);
  if (wrong === undefined) return;
  throw new StepwrightError("invalid-option", `token id ${wrong} is not in the vocabulary of ${size}`, {
    remedy: "hand over text instead of ids to a model with another tokenizer",
  });
}

async function serve(message: Call & { readonly call: number }): Promise<Answers[Call["type"]]> {
  switch (message.type) {
    case "load": {
      const load = message.whiteBox ? loadGraphNativeModel : loadLlamaNativeModel;
      const native = await load(message.options);
      const { exact, keptPrompts } = message;
      const { separateStreams: separate = false } = message.options;
      const shared = exact ? { batchTokens: await exactBatch(native, message.options) } : {};
      const scheduler = new Scheduler(native, { separate, keptPrompts, ...shared, lock });
      models.set(message.model, { native, scheduler });
      return native.info;
    }
    case "close": {
      const { native } = loaded(message.model);
      models.delete(message.model);
      // A decode in flight still uses the context.
      native.abort();
      await lock(async () => native.close());
      return null;
    }
    case "tokenize":
      return loaded(message.model).native.tokenize(message.text, {
        addSpecial: false,
        parseSpecial: message.special,
      });
    case "detokenize": {
      const { native } = loaded(message.model);
      return Buffer.concat(message.tokens.map((token) => native.piece(token))).toString("utf8");
    }
    case "open": {
      const { native, scheduler } = loaded(message.model);
      const tokens = toTokens(native, message.input);
      scheduler.open(message.branch, tokens);
      return tokens.length;
    }
    case "append": {
      const { native, scheduler } = loaded(message.model);
      const passage = toTokens(native, message.input);
      const { branch, call, want } = message;
      return new Promise((resolve, reject) =>
        scheduler.append(branch, { kind: "append", call, passage, want, resolve, reject }),
      );
    }
    case "extend": {
      const { scheduler } = loaded(message.model);
      const { branch, call, splitter, maxTokens, sampling, key, states, stream } = message;
      const onText = stream ? (text: string) => send({ type: "text", call, text }) : null;
      return new Promise((resolve, reject) =>
        scheduler.extend(branch, {
          kind: "extend",
          call,
          splitter,
          maxTokens,
          sampling,
          key,
          states,
          onText,
          resolve,
          reject,
        }),
      );
    }
    case "tree": {
      const { native, scheduler } = loaded(message.model);
      const { branch, call, nodes, sampling, key, ask, topK, hidden } = message;
      checkTokens(native, [...nodes.map(({ token }) => token), ...ask.flat()]);
      return new Promise((resolve, reject) =>
        scheduler.readTree(branch, {
          kind: "tree",
          call,
          nodes,
          sampling,
          key,
          ask,
          topK,
          hidden,
          resolve,
          reject,
        }),
      );
    }
    case "bytes": {
      const { native } = loaded(message.model);
      checkTokens(native, message.tokens);
      return message.tokens.map((token) => native.piece(token));
    }
    case "statistics":
      return loaded(message.model).scheduler.statistics();
  }
}

function receive(message: ToEngine): void {
  if ("call" in message && message.type !== "cancel") {
    // Synchronously up to the scheduler's queue, so that the order of the packet is kept.
    serve(message).then(
      (value) => send({ type: "answer", call: message.call, value }),
      (error) => send({ type: "failure", call: message.call, error: StepwrightError.from(error).toJSON() }),
    );
    return;
  }
  const scheduler = models.get(message.model)?.scheduler;
  if (!scheduler) return;
  if (message.type === "fork") scheduler.fork(message.branch, message.child);
  else if (message.type === "trim") scheduler.trim(message.branch, message.length);
  else if (message.type === "drop") scheduler.drop(message.branch);
  else if (message.type === "keep") scheduler.keep(message.branch, message.node);
  else scheduler.cancel(message.call);
}

process.on("message", (packet: ToEngine[]) => {
  for (const message of packet) receive(message);
});
// The program is gone or asks us to go: no native clean-up, which could hang in a decode.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
// A Ctrl-C in the terminal, or a supervisor's stop, reaches the whole group; the program decides what becomes of runs.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
// An empty packet says that this process is alive; see heartbeat.ts.
setInterval(() => process.send?.([]), beatMilliseconds).unref();
