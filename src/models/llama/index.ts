/** Opens GGUF files in the engine's process. */
import type { CallOptions } from "../../core/model.js";
import type { NativeModelOptions } from "../../native/native-model.js";
import { checkModelFile } from "../gguf/check.js";
import { fingerprint } from "../gguf/fingerprint.js";
import { checkMemory } from "../gguf/size.js";
import { configOf } from "../graph/config.js";
import { type Engine, sharedEngine } from "./engine.js";
import { LlamaModel } from "./llama-model.js";

export { Engine, sharedEngine } from "./engine.js";
export { LlamaModel } from "./llama-model.js";
export type { Statistics } from "./protocol.js";

export interface OpenLlamaOptions extends CallOptions {
  /** Shown in traces; default: the file's name. */
  readonly name?: string;
  /** Tokens that fit the KV cache, over all branches (of separate caches: in each). Default: at most 4096. */
  readonly context?: number;
  /** Branches that hold cells at once; more are read again when used. Default 64, in exact mode 6. */
  readonly sequences?: number;
  /** Compute threads, default 1: two stall for tens of seconds when a core is taken away from them. */
  readonly threads?: number;
  readonly gpuLayers?: number;
  /**
   * Opened prompts that stay in the cache after their run, for the next one that starts alike; default 4. Measuring
   * programs want 0: a shared prompt is read, and paid for, by the first run alone.
   */
  readonly keptPrompts?: number;
  /**
   * Batch-invariant: what a branch holds depends on nothing but its tokens, to the last bit: not on other runs, nor
   * on what was read or written together, rolled back or resumed. A cache per branch, weights as they are in the
   * file, and no more tokens per pass than a check when loading (about 60 passes) saw not to touch each other.
   */
  readonly exact?: boolean;
  /**
   * `shared`: one cache for all branches, where a fork copies nothing. `separate`: a cache per branch, which a fork
   * copies. `fitting`: separate where a branch's cache is so small that copying it costs less than what libllama
   * does at every pass to keep track of a shared one (half a tiny model's time). Default `shared`, in exact mode
   * `separate`.
   */
  readonly caches?: "shared" | "separate" | "fitting";
  /**
   * Runs on the transformer of `src/models/graph` instead of libllama's: families it knows, on the processor. Adds the
   * capability `graph`.
   */
  readonly whiteBox?: boolean;
  readonly engine?: Engine;
}

const usualContext = 4096;
const usualKeptPrompts = 4;
/** Short decodes block the engine's process: it has nothing else to do but hear a cancel, and hears it after the decode. */
const inlineTokens = 4;
/** Of one branch: a copy of so much takes as long as the tracking of a shared cache for about five tokens. */
const smallCacheBytes = 4 * 2 ** 20;
const exactSequences = 6;
/** What the check of exact mode needs. */
const leastExactSequences = 3;

/**
 * Checks the file and the memory it needs, then loads it. Throws `model-not-found`, `model-invalid`,
 * `model-too-large` before native code has seen the file.
 */
export async function openLlama(path: string, options: OpenLlamaOptions = {}): Promise<LlamaModel> {
  const file = await checkModelFile(path);
  const whiteBox = options.whiteBox ?? false;
  if (whiteBox) configOf(file, path);
  const exact = options.exact ?? false;
  const asked = options.sequences ?? (exact ? exactSequences : 64);
  const sequences = exact ? Math.max(asked, leastExactSequences) : asked;
  const cells = Math.min(options.context ?? usualContext, file.size.context);
  const { caches = "shared" } = options;
  const isSmall = file.bytesPerContextToken * cells <= smallCacheBytes;
  const separate = exact || caches === "separate" || (caches === "fitting" && isSmall && !whiteBox);
  checkMemory(file, { cells: separate ? cells * sequences : cells });
  const native: NativeModelOptions = {
    path: file.path,
    cells,
    sequences,
    threads: options.threads ?? 1,
    separateStreams: separate,
    repack: !exact,
    inlineTokens,
    ...(options.gpuLayers === undefined ? {} : { gpuLayers: options.gpuLayers }),
  };
  return LlamaModel.load(
    {
      engine: options.engine ?? sharedEngine(),
      name: options.name ?? file.title ?? path,
      fingerprint: await fingerprint(file.parts),
      file,
      native,
      exact,
      whiteBox,
      keptPrompts: options.keptPrompts ?? usualKeptPrompts,
    },
    { signal: options.signal },
  );
}
