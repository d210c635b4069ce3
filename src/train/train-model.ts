/** Trains a model by a recipe: the same recipe and examples give the same weights, interrupted or not. */
import { createHash } from "node:crypto";
import { StepwrightError } from "../core/errors.js";
import { loadNative } from "../native/load.js";
import { type Checkpoint, readCheckpoint, writeCheckpoint } from "./checkpoint.js";
import { type Weights, weightsHash } from "./initial-weights.js";
import type { ModelRecipe, TrainingSet } from "./model-recipe.js";
import { batchRoom, type PackedBatch, packBatch } from "./packing.js";
import { checkRecipe } from "./recipe-check.js";
import { learningRate } from "./schedule.js";
import { TrainingGraph } from "./training-graph.js";
import { appendLog, cutLog } from "./training-log.js";
import { nextToken, type TrainingMethod } from "./training-method.js";

export interface TrainingOptions {
  /** File to keep the state in; a training that it holds goes on. */
  readonly checkpoint?: string;
  /** Seconds of training between checkpoints; default 60. */
  readonly checkpointSeconds?: number;
  /** File of JSON Lines to write the course to. */
  readonly log?: string;
  /** Optimiser steps per line of the log and per report; default 20. */
  readonly logSteps?: number;
  /** Stops after the step under way, with the state saved. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

export interface TrainingProgress {
  readonly step: number;
  readonly tokens: number;
  readonly totalTokens: number;
  /** Means since the report before. */
  readonly loss: number;
  readonly accuracy: number;
  /** Of this process. */
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

export interface TrainedModel {
  /** The weights that were trained, by GGUF tensor name. */
  readonly weights: Weights;
  /** Hex SHA-256 over them in order. */
  readonly hash: string;
  readonly steps: number;
  readonly tokens: number;
  /** Spent on training, over all processes that took part. */
  readonly seconds: number;
  /** Step at which a checkpoint was taken up; null for a training from the start. */
  readonly resumedAt: number | null;
}

/**
 * Trains to the end of the plan. Throws `aborted` (state saved), `task-invalid` (a bad example), `invalid-option`
 * (a recipe that cannot be trained), `checkpoint-invalid`, `storage-failed`, `model-not-finite` (the loss diverged).
 */
export async function trainModel<Batch extends PackedBatch = PackedBatch>(
  recipe: ModelRecipe,
  examples: TrainingSet,
  options: TrainingOptions = {},
  /** Default: from random weights towards the next token. */
  method?: TrainingMethod<Batch>,
): Promise<TrainedModel> {
  checkRecipe(recipe);
  // Without a method, Batch is what its default makes it.
  const {
    identity: way,
    objective,
    initial,
    adapter,
    frozen,
    open,
  } = method ?? (nextToken(recipe) as unknown as TrainingMethod<Batch>);
  const { sizes, plan } = recipe;
  const accumulate = plan.accumulate ?? 1;
  const identity = trainingIdentity(recipe, examples, way);
  const found = options.checkpoint === undefined ? undefined : await readCheckpoint(options.checkpoint);
  if (found && found.recipe !== identity) throw foreignCheckpoint(options.checkpoint!);
  let { step, tokens, next, seconds, window } = found ?? start;
  if (options.log !== undefined) await cutLog(options.log, step);

  const room = batchRoom(recipe, examples);
  const graph = new TrainingGraph(loadNative(), {
    sizes,
    room,
    rowLength: plan.rowLength,
    objective,
    ...(adapter ? { adapter } : {}),
    ...(frozen === undefined ? {} : { frozen }),
  });
  const preparation = open(room);
  try {
    graph.setWeights(initial);
    if (found) graph.restore(found.tensors);
    const secondsBefore = seconds;
    const tokensBefore = tokens;
    const began = performance.now();
    let savedAt = seconds;
    const save = async () => {
      if (options.checkpoint === undefined) return;
      const state = { recipe: identity, step, tokens, next, seconds, window };
      await writeCheckpoint(options.checkpoint, { ...state, tensors: graph.state() });
      savedAt = seconds;
    };
    while (tokens < plan.tokens) {
      if (options.signal?.aborted) {
        await save();
        throw new StepwrightError("aborted", `training was stopped after ${step} steps`, {
          remedy: "the same command goes on from there",
          cause: options.signal.reason,
        });
      }
      const batches: Batch[] = [];
      for (let part = 0; part < accumulate; part++) {
        const batch = packBatch(recipe, examples, next, room);
        batches.push(await preparation.prepare(batch));
        next = batch.next;
      }
      const rate = learningRate(plan, step, tokens);
      const { loss, accuracy } = await graph.addGradients(batches);
      if (!Number.isFinite(loss)) {
        throw new StepwrightError("model-not-finite", `the loss is ${loss} at step ${step}`, {
          remedy: "lower the learning rate, or warm up for longer",
        });
      }
      await graph.update({ ...optimiser(recipe), learningRate: rate, stepsDone: step });
      step++;
      for (const batch of batches) tokens += batch.tokenCount;
      seconds = secondsBefore + (performance.now() - began) / 1000;
      window = {
        steps: window.steps + 1,
        loss: window.loss + loss,
        accuracy: window.accuracy + accuracy,
      };
      if (window.steps >= (options.logSteps ?? 20) || tokens >= plan.tokens) {
        const means = { loss: window.loss / window.steps, accuracy: window.accuracy / window.steps };
        if (options.log !== undefined) {
          await appendLog(options.log, { step, tokens, ...means, learningRate: rate, seconds });
        }
        const tokensPerSecond = (tokens - tokensBefore) / (seconds - secondsBefore);
        const secondsLeft = Math.max(0, plan.tokens - tokens) / tokensPerSecond;
        options.onProgress?.({
          step,
          tokens,
          totalTokens: plan.tokens,
          ...means,
          tokensPerSecond,
          secondsLeft,
        });
        window = start.window;
      }
      if (seconds - savedAt >= (options.checkpointSeconds ?? 60)) await save();
    }
    await save();
    const weights = graph.copyWeights();
    return {
      weights,
      hash: weightsHash(weights),
      steps: step,
      tokens,
      seconds,
      resumedAt: found?.step ?? null,
    };
  } finally {
    preparation.free();
    graph.free();
  }
}

const start: Omit<Checkpoint, "tensors" | "recipe"> = {
  step: 0,
  tokens: 0,
  next: 0,
  seconds: 0,
  window: { steps: 0, loss: 0, accuracy: 0 },
};

function optimiser({ plan }: ModelRecipe) {
  return {
    beta1: plan.beta1 ?? 0.9,
    beta2: plan.beta2 ?? 0.98,
    epsilon: plan.epsilon ?? 1e-8,
    weightDecay: plan.weightDecay ?? 0.05,
  };
}

/** Examples that stand for the data set in its identity. */
const sampledExamples = 64;

function trainingIdentity(recipe: ModelRecipe, examples: TrainingSet, way: string): string {
  const digest = createHash("sha256").update(JSON.stringify(recipe)).update(way);
  for (let index = 0; index < sampledExamples; index++) {
    const { tokens, lossFrom, labels } = examples(index);
    digest.update(JSON.stringify(labels ? [tokens, labels] : [tokens, lossFrom]));
  }
  return digest.digest("hex");
}

function foreignCheckpoint(path: string): StepwrightError {
  return new StepwrightError("checkpoint-invalid", `${path} belongs to another recipe or other examples`, {
    remedy: "choose another folder, or delete the checkpoint to train from the start",
    subject: path,
  });
}
