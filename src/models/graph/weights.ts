/** The weights of a GGUF file in memory, any quantisation, reordered for this processor's kernels where it has such. */
import { type FileHandle, open } from "node:fs/promises";
import { StepwrightError } from "../../core/errors.js";
import { groupBy } from "../../core/group-by.js";
import type { BufferType, CpuBackend } from "../../native/ggml/cpu-backend.js";
import { preferHugePages } from "../../native/ggml/huge-pages.js";
import type { Tensor } from "../../native/ggml/tensor.js";
import { type TensorBuffer, TensorContext } from "../../native/ggml/tensor-context.js";
import { offThread } from "../../native/library.js";
import type { ModelFile } from "../gguf/check.js";
import type { TensorInfo } from "../gguf/read.js";
import type { Weights } from "./transformer.js";

export interface LoadedWeights extends Weights {
  free(): void;
}

const embedding = "token_embd.weight";
const output = "output.weight";

/** One tensor of the file, under the name it is found by. */
interface Entry {
  readonly name: string;
  readonly info: TensorInfo;
  readonly path: string;
  readonly type: BufferType;
}

/**
 * Reads all tensors. With `repack`, matrices are stored in the order of this processor's fastest kernels; their
 * numbers stay the same, products differ in low bits with the number of tokens.
 */
export async function loadWeights(
  file: ModelFile,
  backend: CpuBackend,
  options: { repack: boolean },
): Promise<LoadedWeights> {
  const entries = placed(file, backend, options.repack);
  const tensors = new Map<string, Tensor>();
  const contexts: TensorContext[] = [];
  const buffers: TensorBuffer[] = [];
  const free = () => {
    for (const buffer of buffers) buffer.free();
    for (const context of contexts) context.free();
  };
  try {
    for (const [type, own] of groupBy(entries, (entry) => entry.type)) {
      const context = new TensorContext(backend.native, { tensors: own.length });
      contexts.push(context);
      for (const { name, info } of own) tensors.set(name, context.tensor(info.type, ...info.shape));
      const buffer = context.allocate(type);
      buffers.push(buffer);
      preferHugePages(backend.native, buffer);
    }
    await fill(entries, tensors, backend);
  } catch (error) {
    free();
    throw error;
  }
  return { find: (name) => tensors.get(name), free };
}

/** Chooses each tensor's memory. A tied output matrix gets a copy of its own where that is faster to multiply. */
function placed(file: ModelFile, backend: CpuBackend, repack: boolean): Entry[] {
  const repacking = repack ? backend.repackingTypes() : [];
  const entries: Entry[] = [];
  for (const { path, tensors } of file.parts) {
    for (const info of tensors) {
      const { name } = info;
      // The embedding is looked up, not multiplied.
      const type = name === embedding ? backend.plain : memoryFor(info, backend, repacking);
      entries.push({ name, info, path, type });
    }
  }
  const tied = entries.find(({ name }) => name === embedding);
  if (tied && !entries.some(({ name }) => name === output)) {
    const type = memoryFor(tied.info, backend, repacking);
    if (type !== backend.plain) entries.push({ ...tied, name: output, type });
  }
  return entries;
}

/** Batch that a kernel is asked for; any number of tokens above a few would do. */
const probeTokens = 512;

function memoryFor(info: TensorInfo, backend: CpuBackend, repacking: readonly BufferType[]): BufferType {
  if (info.shape.length !== 2) return backend.plain;
  const probe = new TensorContext(backend.native, { tensors: 8 });
  try {
    const weight = probe.tensor(info.type, ...info.shape);
    const product = probe.matmul(weight, probe.tensor("F32", info.shape[0]!, probeTokens));
    return repacking.find((type) => backend.supports(product, weight, type)) ?? backend.plain;
  } finally {
    probe.free();
  }
}

async function fill(
  entries: readonly Entry[],
  tensors: ReadonlyMap<string, Tensor>,
  backend: CpuBackend,
): Promise<void> {
  for (const [path, own] of groupBy(entries, (entry) => entry.path)) {
    const handle = await open(path);
    try {
      for (const { name, info, type } of own) {
        const tensor = tensors.get(name)!;
        const plain = type === backend.plain;
        const bytes = plain ? tensor.bytes(info.bytes) : new Uint8Array(info.bytes);
        await readAll(handle, bytes, info.offset, name);
        if (plain) continue;
        const { ggml_backend_tensor_set: set } = backend.native;
        await offThread(set, tensor.address, bytes, 0, info.bytes);
      }
    } finally {
      await handle.close();
    }
  }
}

/** Bytes asked of the system at once: it takes no more than 2 GiB. */
const readBytes = 2 ** 28;

async function readAll(handle: FileHandle, bytes: Uint8Array, offset: number, name: string): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(readBytes, bytes.length - done);
    const { bytesRead } = await handle.read(bytes, done, length, offset + done);
    if (bytesRead === 0) {
      throw new StepwrightError("model-invalid", `the file ends inside the tensor "${name}"`);
    }
    done += bytesRead;
  }
}
