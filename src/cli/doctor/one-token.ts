/** The smallest proof that models run: one token of a tiny model, made for the occasion. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StepwrightError } from "../../core/errors.js";
import { greedy } from "../../core/model.js";
import { openLlama } from "../../models/llama/index.js";
import { writeTinyModel } from "../../testing/tiny-model.js";

export interface OneToken {
  readonly text: string;
  readonly seconds: number;
}

export async function oneTokenTest(signal?: AbortSignal): Promise<OneToken> {
  const folder = await mkdtemp(join(tmpdir(), "stepwright-doctor-"));
  try {
    const path = join(folder, "tiny.gguf");
    await writeTinyModel(path);
    const started = performance.now();
    await using model = await openLlama(path, { threads: 1, context: 64, signal });
    await using branch = await model.open("the answer is");
    const { tokens, text, logprobs } = await branch.extend({
      splitter: { kind: "none" },
      maxTokens: 1,
      sampling: greedy,
      key: "doctor",
      signal,
    });
    if (tokens.length !== 1 || !Number.isFinite(logprobs[0])) {
      throw new StepwrightError("decode-failed", "the model ran but gave no token", {
        remedy: "reinstall the platform package",
      });
    }
    return { text, seconds: (performance.now() - started) / 1000 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
