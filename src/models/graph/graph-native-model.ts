/** The white box behind the engine's interface: scheduler, branches and every method run on it as on libllama. */
import { StepwrightError } from "../../core/errors.js";
import { offThread } from "../../native/library.js";
import { loadNative, type Native } from "../../native/load.js";
import { readMetadata, tokenizerMetadata } from "../../native/model-information.js";
import {
  type BatchToken,
  checkHiddenBatch,
  type DecodeStatus,
  type NativeModel,
  type NativeModelInfo,
  type NativeModelOptions,
  type Row,
  type RowRequest,
} from "../../native/native-model.js";
import { RowReader } from "../../native/row-reader.js";
import { Vocabulary } from "../../native/vocabulary.js";
import type { ForwardStatus } from "./forward.js";
import { GraphModel } from "./graph-model.js";

const statuses: Readonly<Record<ForwardStatus, DecodeStatus>> = {
  done: 0,
  full: 1,
  aborted: 2,
};

/**
 * Opens a GGUF file as a white box. libllama is asked for the vocabulary alone. Runs on the processor, whatever
 * `gpuLayers` says.
 * @throws StepwrightError as `GraphModel.open`
 */
export async function loadGraphNativeModel(options: NativeModelOptions): Promise<NativeModel> {
  const native = loadNative();
  const vocabularyOnly = { ...native.llama_model_default_params(), vocab_only: true };
  const handle = await offThread(native.llama_model_load_from_file, options.path, vocabularyOnly);
  if (handle === null) {
    throw new StepwrightError("model-invalid", "libllama cannot read the model's vocabulary", {
      remedy: "download the file again",
      subject: options.path,
    });
  }
  let model: GraphModel | null = null;
  try {
    const trained = native.llama_model_n_ctx_train(handle);
    const sequences = options.sequences ?? 64;
    model = await GraphModel.open(options.path, {
      rows: options.cells ?? Math.min(trained, 4096),
      sequences,
      separate: options.separateStreams ?? false,
      threads: options.threads ?? 1,
      repack: options.repack ?? true,
      inlineTokens: options.inlineTokens ?? 0,
    });
    const vocabulary = new Vocabulary(native, handle);
    const info = await readInfo(native, handle, vocabulary, model, sequences, options.batchTokens ?? 512);
    return new GraphNativeModel(native, handle, vocabulary, model, info);
  } catch (error) {
    model?.close();
    native.llama_model_free(handle);
    throw error;
  }
}

class GraphNativeModel implements NativeModel {
  readonly info: NativeModelInfo;
  readonly #native: Native;
  readonly #handle: bigint;
  readonly #vocabulary: Vocabulary;
  readonly #model: GraphModel;
  readonly #rows: RowReader;
  #decoding: Promise<unknown> | null = null;
  #closed = false;

  constructor(
    native: Native,
    handle: bigint,
    vocabulary: Vocabulary,
    model: GraphModel,
    info: NativeModelInfo,
  ) {
    this.#native = native;
    this.#handle = handle;
    this.#vocabulary = vocabulary;
    this.#model = model;
    this.info = info;
    this.#rows = new RowReader(native, model.vocabularySize);
  }

  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): number[] {
    return this.#vocabulary.tokenize(text, options);
  }

  piece(token: number): Uint8Array {
    return this.#vocabulary.piece(token);
  }

  async decode(batch: readonly BatchToken[], options: { hidden?: boolean } = {}): Promise<DecodeStatus> {
    if (batch.length > this.info.batchTokens) {
      throw new StepwrightError("internal", `a batch of ${batch.length} of at most ${this.info.batchTokens}`);
    }
    if (options.hidden) checkHiddenBatch(batch);
    const decoding = this.#model.forward(batch);
    this.#decoding = decoding;
    try {
      return statuses[await decoding];
    } finally {
      this.#decoding = null;
      if (this.#closed) this.#free();
    }
  }

  readRows(requests: readonly RowRequest[]): Row[] {
    return requests.map((request) => {
      const { address, floats } = this.#model.logits(request.output);
      return this.#rows.read(address, floats, request);
    });
  }

  readHidden(output: number): Float32Array {
    return this.#model.hidden(output);
  }

  removeCells(sequence: number, from: number, to: number): boolean {
    this.#model.remove(sequence, from, to);
    return true;
  }

  shareCells(from: number, to: number): void {
    if (!this.#model.share(from, to))
      throw new StepwrightError("internal", "no rows for a copy of a sequence");
  }

  abort(): void {
    this.#model.abort();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#model.close();
    if (!this.#decoding) this.#free();
  }

  #free(): void {
    this.#rows.free();
    this.#native.llama_model_free(this.#handle);
  }
}

async function readInfo(
  native: Native,
  handle: bigint,
  vocabulary: Vocabulary,
  model: GraphModel,
  sequences: number,
  batchTokens: number,
): Promise<NativeModelInfo> {
  const metadata = readMetadata(native, handle);
  const { file, config } = model;
  const { endTokens, hash } = await vocabulary.survey(tokenizerMetadata(metadata));
  return {
    description: `${file.architecture} ${file.weightType}, white box`,
    metadata,
    chatTemplate: native.llama_model_chat_template(handle, null),
    vocabularyHash: hash,
    vocabularySize: model.vocabularySize,
    beginToken: vocabulary.beginToken,
    addsBegin: vocabulary.addsBegin,
    endTokens,
    parameters: file.size.parameters,
    bytes: file.size.bytes,
    layers: config.layers,
    heads: config.heads,
    headSize: config.headSize,
    kvHeads: config.kvHeads,
    width: config.width,
    trainedContext: file.size.context,
    cells: model.rows,
    sequences,
    batchTokens,
    canTrim: true,
  };
}
