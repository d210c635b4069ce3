/** A model and its context in libllama. */
import { StepwrightError } from "../core/errors.js";
import { AbortFlag } from "./abort-flag.js";
import { BatchBuffer } from "./batch-buffer.js";
import { enums } from "./bindings.generated.js";
import { offThread, type Struct } from "./library.js";
import { loadNative, type Native } from "./load.js";
import { readDescription, readHeadSize, readMetadata, tokenizerMetadata } from "./model-information.js";
import { reasonFrom } from "./native-log.js";
import { viewFloats } from "./native-memory.js";
import {
  type BatchToken,
  checkHiddenBatch,
  type DecodeStatus,
  type NativeModel,
  type NativeModelInfo,
  type NativeModelOptions,
  type Row,
  type RowRequest,
} from "./native-model.js";
import { RowReader } from "./row-reader.js";
import { Vocabulary } from "./vocabulary.js";

/** libllama's limit. */
const mostSequences = 256;
const allLayers = -1;
const aborted = 2;

interface Handles {
  readonly native: Native;
  readonly model: bigint;
  readonly context: bigint;
  readonly memory: bigint;
  readonly abortFlag: AbortFlag;
  readonly vocabulary: Vocabulary;
}

/**
 * Loads a GGUF file (memory-mapped, off the calling thread) and makes a context for it.
 * @throws StepwrightError `native-unavailable`, `native-mismatch`, `model-invalid` (with libllama's reason),
 * `model-too-large` (no memory for the context), `invalid-option`
 */
export async function loadLlamaNativeModel(options: NativeModelOptions): Promise<NativeModel> {
  const native = loadNative();
  const sequences = wholeNumber("sequences", options.sequences ?? 64, 1, mostSequences);
  const batchTokens = wholeNumber("batchTokens", options.batchTokens ?? 512, 1, 65_536);
  const threads = wholeNumber("threads", options.threads ?? 1, 1, 512);

  const modelParameters = {
    ...native.llama_model_default_params(),
    n_gpu_layers: options.gpuLayers ?? (native.hasGpu ? allLayers : 0),
    load_mode: enums.llama_load_mode.LLAMA_LOAD_MODE_MMAP,
    use_extra_bufts: options.repack ?? true,
  };
  const model = await offThread(native.llama_model_load_from_file, options.path, modelParameters);
  if (model === null) {
    // Once more on this thread, without memory for the weights, only to hear libllama's reason.
    const again = native.log.collect(() =>
      native.llama_model_load_from_file(options.path, { ...modelParameters, no_alloc: true }),
    );
    if (again.result !== null) native.llama_model_free(again.result);
    throw loadError(options.path, reasonFrom(again.lines), again.result !== null);
  }

  const abortFlag = new AbortFlag();
  let context: bigint | null = null;
  try {
    if (!writesText(native, model)) throw wrongKind(options.path);
    const trained = native.llama_model_n_ctx_train(model);
    const cells = wholeNumber("cells", options.cells ?? Math.min(trained, 4096), 1, 2 ** 31 / sequences);
    const contextParameters = {
      ...native.llama_context_default_params(),
      n_ctx: options.separateStreams ? cells * sequences : cells,
      n_batch: batchTokens,
      n_ubatch: batchTokens,
      n_seq_max: sequences,
      n_threads: threads,
      n_threads_batch: threads,
      kv_unified: !options.separateStreams,
      // Hidden states are read token by token, also from files that ask for pooling.
      pooling_type: enums.llama_pooling_type.LLAMA_POOLING_TYPE_NONE,
      abort_callback: native.address("ggml_is_empty"),
      abort_callback_data: abortFlag.address,
      no_perf: true,
    };
    context = await offThread(native.llama_init_from_model, model, contextParameters);
    if (context === null) {
      const again = native.log.collect(() => native.llama_init_from_model(model, contextParameters));
      if (again.result !== null) native.llama_free(again.result);
      throw new StepwrightError(
        "model-too-large",
        `no context could be made: ${reasonFrom(again.lines) || "no reason given"}`,
        {
          remedy: "use fewer KV cells or a smaller model",
          subject: options.path,
        },
      );
    }
    const memory = native.llama_get_memory(context);
    if (memory === null) throw wrongKind(options.path);
    const vocabulary = new Vocabulary(native, model);
    const handles = { native, model, context, memory, abortFlag, vocabulary };
    const info = await readInfo(handles, options.separateStreams ?? false, sequences, batchTokens);
    return new LlamaNativeModel(handles, info, options.inlineTokens ?? 0);
  } catch (error) {
    if (context !== null) native.llama_free(context);
    native.llama_model_free(model);
    abortFlag.free();
    throw error;
  }
}

class LlamaNativeModel implements NativeModel {
  readonly info: NativeModelInfo;
  readonly #handles: Handles;
  readonly #batch: BatchBuffer;
  readonly #rows: RowReader;
  readonly #inlineTokens: number;
  #outputs = 0;
  #hidden = false;
  #logits: NativeFloats | undefined;
  #states: NativeFloats | undefined;
  #decoding: Promise<unknown> | undefined;
  #closed = false;

  constructor(handles: Handles, info: NativeModelInfo, inlineTokens: number) {
    this.#handles = handles;
    this.#inlineTokens = inlineTokens;
    this.info = info;
    this.#batch = new BatchBuffer({
      tokens: info.batchTokens,
      sequences: info.sequences,
      vocabulary: info.vocabularySize,
    });
    this.#rows = new RowReader(handles.native, info.vocabularySize);
  }

  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): number[] {
    return this.#open().vocabulary.tokenize(text, options);
  }

  piece(token: number): Uint8Array {
    return this.#open().vocabulary.piece(token);
  }

  /**
   * On any status but 0 the cache is as it was before the call. libllama itself leaves the parts of the batch
   * that were done, and of the part that was not done the cells that belong to a token's second sequence and
   * further ones; they are removed here.
   */
  async decode(batch: readonly BatchToken[], options: { hidden?: boolean } = {}): Promise<DecodeStatus> {
    const { native, context, abortFlag } = this.#idle();
    const hidden = options.hidden ?? false;
    if (hidden) checkHiddenBatch(batch);
    const struct = this.#batch.fill(batch);
    if (hidden !== this.#hidden) {
      native.llama_set_embeddings(context, hidden);
      this.#hidden = hidden;
    }
    this.#outputs = 0;
    abortFlag.clear();
    try {
      const inline = batch.length <= this.#inlineTokens;
      const status = inline ? native.llama_decode(context, struct) : await this.#decodeAside(struct);
      // A GPU may still be computing; reading the results would wait for it on this thread.
      if (status === 0 && native.hasGpu) await offThread(native.llama_synchronize, context);
      if (status === 0) this.#outputs = batch.filter(({ output }) => output).length;
      else if (status === aborted || status < -1) this.#removeBatch(batch);
      return status;
    } finally {
      this.#decoding = undefined;
      if (this.#closed) this.#free();
    }
  }

  #decodeAside(struct: Struct): Promise<number> {
    const { native, context } = this.#handles;
    const running = offThread(native.llama_decode, context, struct);
    this.#decoding = running;
    return running;
  }

  readRows(requests: readonly RowRequest[]): Row[] {
    const { native, context } = this.#open();
    const { vocabularySize } = this.info;
    for (const { output } of requests) this.#checkOutput(output);
    if (requests.length === 0) return [];
    const address = native.llama_get_logits(context);
    if (address === null) throw new StepwrightError("engine-failed", "the decode left no logits");
    this.#logits = viewedAt(this.#logits, address, this.#outputs * vocabularySize);
    const { floats } = this.#logits;
    return requests.map((request) => {
      const start = request.output * vocabularySize;
      return this.#rows.read(
        address + BigInt(4 * start),
        floats.subarray(start, start + vocabularySize),
        request,
      );
    });
  }

  readHidden(output: number): Float32Array {
    const { native, context } = this.#open();
    this.#checkOutput(output);
    const address = this.#hidden ? native.llama_get_embeddings(context) : null;
    if (address === null)
      throw new StepwrightError("internal", "the last decode did not ask for hidden states");
    const { width } = this.info;
    this.#states = viewedAt(this.#states, address, this.#outputs * width);
    return this.#states.floats.slice(width * output, width * (output + 1));
  }

  removeCells(sequence: number, from: number, to: number): boolean {
    const { native, memory } = this.#idle();
    return native.llama_memory_seq_rm(memory, this.#checkSequence(sequence), from, to);
  }

  shareCells(from: number, to: number): void {
    const { native, memory } = this.#idle();
    if (this.#checkSequence(from) === this.#checkSequence(to)) return;
    native.llama_memory_seq_cp(memory, from, to, -1, -1);
  }

  abort(): void {
    if (!this.#closed) this.#handles.abortFlag.raise();
  }

  /** Safe to call twice. A running decode is stopped first; its promise still settles. */
  close(): void {
    if (this.#closed) return;
    this.abort();
    this.#closed = true;
    if (!this.#decoding) this.#free();
  }

  #free(): void {
    const { native, model, context, abortFlag } = this.#handles;
    this.#logits = undefined;
    this.#states = undefined;
    this.#rows.free();
    this.#batch.free();
    native.llama_free(context);
    native.llama_model_free(model);
    abortFlag.free();
  }

  #open(): Handles {
    if (this.#closed) throw new StepwrightError("internal", "the model was used after it was closed");
    return this.#handles;
  }

  /** libllama locks nothing: its cache must be left alone while a decode runs on another thread. */
  #idle(): Handles {
    if (this.#decoding) throw new StepwrightError("internal", "the model was called while a decode ran");
    return this.#open();
  }

  #removeBatch(batch: readonly BatchToken[]): void {
    const { native, memory } = this.#handles;
    const first = new Map<number, number>();
    for (const { sequences, position } of batch) {
      for (const sequence of sequences)
        first.set(sequence, Math.min(position, first.get(sequence) ?? position));
    }
    for (const [sequence, position] of first) native.llama_memory_seq_rm(memory, sequence, position, -1);
  }

  #checkOutput(output: number): void {
    if (!Number.isInteger(output) || output < 0 || output >= this.#outputs) {
      throw new StepwrightError("internal", `output ${output} of ${this.#outputs} in the last decode`);
    }
  }

  #checkSequence(sequence: number): number {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= this.info.sequences) {
      throw new StepwrightError("internal", `sequence ${sequence} of ${this.info.sequences}`);
    }
    return sequence;
  }
}

interface NativeFloats {
  readonly address: bigint;
  readonly floats: Float32Array;
}

/** The view from before where it still shows as much of the same place: a new one takes longer than reading a state. */
function viewedAt(known: NativeFloats | undefined, address: bigint, count: number): NativeFloats {
  if (known?.address === address && known.floats.length >= count) return known;
  return { address, floats: viewFloats(address, count) };
}

async function readInfo(
  { native, model, context, vocabulary }: Handles,
  separate: boolean,
  sequences: number,
  batchTokens: number,
): Promise<NativeModelInfo> {
  const metadata = readMetadata(native, model);
  const heads = native.llama_model_n_head(model);
  const width = native.llama_model_n_embd(model);
  const { endTokens, hash } = await vocabulary.survey(tokenizerMetadata(metadata));
  return {
    description: readDescription(native, model),
    metadata,
    chatTemplate: native.llama_model_chat_template(model, null),
    vocabularyHash: hash,
    vocabularySize: vocabulary.size,
    beginToken: vocabulary.beginToken,
    addsBegin: vocabulary.addsBegin,
    endTokens,
    parameters: native.llama_model_n_params(model),
    bytes: native.llama_model_size(model),
    layers: native.llama_model_n_layer(model),
    heads,
    headSize: readHeadSize(metadata, width, heads),
    kvHeads: native.llama_model_n_head_kv(model),
    width,
    trainedContext: native.llama_model_n_ctx_train(model),
    cells: separate ? native.llama_n_ctx_seq(context) : native.llama_n_ctx(context),
    sequences,
    batchTokens,
    canTrim: !native.llama_model_is_recurrent(model) && !native.llama_model_is_hybrid(model),
  };
}

/** False for encoders, encoder-decoder and diffusion models and files without a vocabulary. */
function writesText(native: Native, model: bigint): boolean {
  return (
    native.llama_model_has_decoder(model) &&
    !native.llama_model_has_encoder(model) &&
    !native.llama_model_is_diffusion(model) &&
    native.llama_vocab_n_tokens(native.llama_model_get_vocab(model)) > 0
  );
}

function wrongKind(path: string): StepwrightError {
  return new StepwrightError("model-invalid", "the model does not write text from left to right", {
    remedy: "choose a decoder-only language model",
    subject: path,
  });
}

function wholeNumber(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new StepwrightError(
    "invalid-option",
    `${name} is ${value}, it must be a whole number from ${least} to ${most}`,
    {
      subject: name,
    },
  );
}

function loadError(path: string, reason: string, soundFile: boolean): StepwrightError {
  if (soundFile) {
    return new StepwrightError("model-too-large", "the model's weights could not be loaded", {
      remedy: "the file itself reads well: free memory, or choose a smaller quantisation",
      subject: path,
    });
  }
  return new StepwrightError(
    "model-invalid",
    `libllama cannot load the model: ${reason || "no reason given"}`,
    {
      remedy: "download the file again, or choose a model that this llama.cpp release knows",
      subject: path,
    },
  );
}
