/** The part of a GGUF header that names the tensors and where they lie. */
import { alignUp, longestTensorName, mostDimensions, tensorTypeOf } from "./format.js";
import { type HeaderReader, readName, shown } from "./header-reader.js";
import type { TensorInfo } from "./read.js";

export interface PlacedTensor extends Omit<TensorInfo, "offset"> {
  /** From the beginning of the weights. */
  readonly relative: bigint;
}

export async function readTensor(reader: HeaderReader, names: Set<string>): Promise<PlacedTensor> {
  const name = await readName(reader, "tensor name", longestTensorName);
  if (names.has(name)) throw reader.fail(`two tensors are named ${shown(name)}`);
  names.add(name);
  await reader.need(4);
  const dimensions = reader.value(4, (view, at) => view.getUint32(at, true));
  if (dimensions > mostDimensions) throw reader.fail(`tensor ${shown(name)} has ${dimensions} dimensions`);
  await reader.need(dimensions * 8 + 12);
  let elements = 1n;
  const shape: number[] = [];
  for (let index = 0; index < dimensions; index++) {
    const length = reader.value(8, (view, at) => view.getBigInt64(at, true));
    if (length < 1n) throw reader.fail(`tensor ${shown(name)} has a dimension of ${length}`);
    elements *= length;
    if (elements >= 2n ** 53n)
      throw reader.fail(`tensor ${shown(name)} has more elements than any file can hold`);
    shape.push(Number(length));
  }
  const code = reader.value(4, (view, at) => view.getInt32(at, true));
  const type = tensorTypeOf(code);
  if (!type) throw reader.fail(`tensor ${shown(name)} has the unknown type ${code}`);
  if ((shape[0] ?? 1) % type.blockElements !== 0) {
    throw reader.fail(`the rows of tensor ${shown(name)} are not whole blocks of ${type.name}`);
  }
  const bytes = (elements / BigInt(type.blockElements)) * BigInt(type.blockBytes);
  if (bytes > BigInt(reader.source.size)) {
    throw reader.fail(
      `tensor ${shown(name)} needs ${bytes} bytes, more than the file's ${reader.source.size}`,
    );
  }
  const relative = reader.value(8, (view, at) => view.getBigUint64(at, true));
  return { name, shape, type: type.name, elements: Number(elements), bytes: Number(bytes), relative };
}

/** ggml accepts tensors only one after the other in the header's order, each aligned; all must lie in the file. */
export function layOut(
  reader: HeaderReader,
  tensors: readonly PlacedTensor[],
  dataOffset: number,
  alignment: number,
): TensorInfo[] {
  let expected = 0;
  return tensors.map(({ relative, ...tensor }) => {
    const named = `tensor ${shown(tensor.name)}`;
    if (relative % BigInt(alignment) !== 0n)
      throw reader.fail(`${named} is not aligned to ${alignment} bytes`);
    const end = BigInt(dataOffset) + relative + BigInt(tensor.bytes);
    if (end > BigInt(reader.source.size)) {
      throw reader.fail(
        `${named} ends at byte ${end}, the file at ${reader.source.size}: the file is cut short`,
      );
    }
    if (relative < BigInt(expected)) throw reader.fail(`${named} overlaps the tensor before it`);
    if (relative > BigInt(expected)) throw reader.fail(`there is a gap before ${named}`);
    const offset = dataOffset + expected;
    expected = alignUp(expected + tensor.bytes, alignment);
    return { ...tensor, offset };
  });
}
