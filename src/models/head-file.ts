/** Reads named small tensors from a safetensors or GGUF file: the heads that are applied outside a model. */
import { StepwrightError } from "../core/errors.js";
import type { Tensor, TensorSet } from "../core/tensor.js";
import { readHeader } from "./gguf/read.js";
import { type ByteSource, fileSource } from "./gguf/source.js";
import { decodeNumbers, type NumberFormat, numberBytes } from "./plain-numbers.js";
import { readSafetensorsFacts, readSafetensorsHeader } from "./safetensors.js";

/** The largest published head is a square of 8192 states. */
const mostElements = 128 * 2 ** 20;

interface Placed {
  /** Slowest dimension first. */
  readonly shape: readonly number[];
  readonly format: string;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Those of `names` that the file holds, as 32-bit numbers; F32, F16, BF16 and F64 are understood. Only their
 * bytes are read. Throws `model-not-found`, or `model-invalid` for a file that is neither or a type that is packed.
 */
export async function loadHead(path: string, names: readonly string[]): Promise<TensorSet> {
  const source = await fileSource(path);
  try {
    return await readHead(source, names);
  } finally {
    await source.close();
  }
}

/** The same from an open source. */
export async function readHead(source: ByteSource, names: readonly string[]): Promise<TensorSet> {
  const places = await locate(source);
  const found = new Map<string, Tensor>();
  for (const name of names) {
    const placed = places.get(name);
    if (placed) found.set(name, await readTensor(source, name, placed));
  }
  return found;
}

/** What the file says about itself: a safetensors file's metadata, nothing for a GGUF. Throws as `loadHead` does. */
export async function loadHeadFacts(path: string): Promise<ReadonlyMap<string, string>> {
  const source = await fileSource(path);
  try {
    return (await isGguf(source)) ? new Map() : await readSafetensorsFacts(source);
  } finally {
    await source.close();
  }
}

async function locate(source: ByteSource): Promise<ReadonlyMap<string, Placed>> {
  if (!(await isGguf(source))) return readSafetensorsHeader(source);
  const { tensors } = await readHeader(source);
  return new Map(
    tensors.map(({ name, shape, type, offset, bytes }) => [
      name,
      { shape: shape.toReversed(), format: type, offset, bytes },
    ]),
  );
}

async function isGguf(source: ByteSource): Promise<boolean> {
  return Buffer.from(await source.read(0, Math.min(4, source.size))).toString("latin1") === "GGUF";
}

async function readTensor(source: ByteSource, name: string, placed: Placed): Promise<Tensor> {
  const fail = (problem: string, remedy?: string) =>
    new StepwrightError("model-invalid", `${source.name}: tensor "${name}" ${problem}`, {
      subject: source.name,
      ...(remedy === undefined ? {} : { remedy }),
    });
  const { shape, format, offset, bytes } = placed;
  if (!Object.hasOwn(numberBytes, format)) {
    throw fail(`is stored as ${format}`, "store the head as F32, F16 or BF16");
  }
  const size = numberBytes[format as NumberFormat];
  const elements = shape.reduce((product, length) => product * length, 1);
  if (elements > mostElements) throw fail(`has ${elements} numbers, too many for a head`);
  if (bytes !== elements * size) throw fail(`has ${bytes} bytes where its shape needs ${elements * size}`);
  const data = await source.read(offset, bytes);
  if (data.length !== bytes) throw fail("lies beyond the end of the file");
  return { shape, values: decodeNumbers(data, format as NumberFormat) };
}
