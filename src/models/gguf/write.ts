/** Writes GGUF version 3 files: metadata of every type, and tensors in order, aligned. Used by tests and training. */
import { writeFile } from "node:fs/promises";
import { StepwrightError } from "../../core/errors.js";
import { ByteWriter, type Scalar } from "./byte-writer.js";
import {
  alignUp,
  defaultAlignment,
  type ElementType,
  longestTensorName,
  magic,
  mostDimensions,
  newestVersion,
  tensorTypeNamed,
  valueCodes,
} from "./format.js";

export type MetadataEntry =
  | { readonly key: string; readonly type: ElementType; readonly value: Scalar }
  | {
      readonly key: string;
      readonly type: "array";
      readonly of: ElementType;
      readonly value: readonly Scalar[];
    };

export interface TensorEntry {
  readonly name: string;
  /** Length of a row first: a matrix that maps `in` to `out` numbers is [in, out]. */
  readonly shape: readonly number[];
  /** `F32`, `F16` (converted when the data are 32-bit floats), or any other type with its data as bytes. */
  readonly type: string;
  readonly data: Float32Array | Uint8Array;
}

export interface GgufContent {
  readonly metadata: readonly MetadataEntry[];
  readonly tensors: readonly TensorEntry[];
  /** Power of two; default 32. Any other is written as `general.alignment` too. */
  readonly alignment?: number;
}

export async function writeGguf(path: string, content: GgufContent): Promise<void> {
  await writeFile(path, encodeGguf(content));
}

/** The whole file as bytes. Throws `model-invalid` for content that no reader would accept. */
export function encodeGguf(content: GgufContent): Uint8Array {
  const alignment = content.alignment ?? defaultAlignment;
  const metadata: MetadataEntry[] = [...content.metadata];
  if (alignment !== defaultAlignment && !metadata.some((entry) => entry.key === "general.alignment")) {
    metadata.push({ key: "general.alignment", type: "uint32", value: alignment });
  }
  const data = content.tensors.map(tensorBytes);
  const header = new ByteWriter();
  header.bytes(new TextEncoder().encode(magic));
  header.scalar("uint32", newestVersion);
  header.scalar("int64", content.tensors.length);
  header.scalar("int64", metadata.length);
  for (const entry of metadata) writeEntry(header, entry);
  let offset = 0;
  content.tensors.forEach((tensor, index) => {
    header.scalar("string", tensor.name);
    header.scalar("uint32", tensor.shape.length);
    for (const length of tensor.shape) header.scalar("int64", length);
    header.scalar("int32", tensorTypeNamed(tensor.type)!.code);
    header.scalar("uint64", offset);
    offset += alignUp(data[index]!.length, alignment);
  });
  const start = alignUp(header.length, alignment);
  const file = new Uint8Array(content.tensors.length === 0 ? header.length : start + offset);
  header.copyTo(file);
  let position = start;
  for (const bytes of data) {
    file.set(bytes, position);
    position += alignUp(bytes.length, alignment);
  }
  return file;
}

function writeEntry(writer: ByteWriter, entry: MetadataEntry): void {
  writer.scalar("string", entry.key);
  writer.scalar("int32", valueCodes[entry.type]);
  if (entry.type === "array") {
    writer.scalar("int32", valueCodes[entry.of]);
    writer.scalar("uint64", entry.value.length);
    for (const value of entry.value) writer.scalar(entry.of, value);
  } else {
    writer.scalar(entry.type, entry.value);
  }
}

function tensorBytes(tensor: TensorEntry): Uint8Array {
  const { name, shape, data } = tensor;
  const invalid = (problem: string) =>
    new StepwrightError("model-invalid", `cannot write tensor "${name}": ${problem}`, { subject: name });
  const type = tensorTypeNamed(tensor.type);
  if (!type) throw invalid(`unknown type ${tensor.type}`);
  if (Buffer.byteLength(name) > longestTensorName) throw invalid("its name is longer than 63 bytes");
  if (shape.length === 0 || shape.length > mostDimensions) throw invalid(`it has ${shape.length} dimensions`);
  const elements = shape.reduce((product, length) => product * length, 1);
  if (shape[0]! % type.blockElements !== 0) throw invalid(`its rows are not whole blocks of ${tensor.type}`);
  const bytes = (elements / type.blockElements) * type.blockBytes;
  const encoded = data instanceof Uint8Array ? data : encodeFloats(data, tensor.type);
  if (!encoded) throw invalid(`${tensor.type} needs its data as bytes`);
  if (encoded.length !== bytes)
    throw invalid(`its data has ${encoded.length} bytes where its shape needs ${bytes}`);
  return encoded;
}

function encodeFloats(data: Float32Array, type: string): Uint8Array | undefined {
  if (type !== "F32" && type !== "F16") return undefined;
  const size = type === "F32" ? 4 : 2;
  const bytes = new Uint8Array(data.length * size);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < data.length; index++) {
    if (type === "F32") view.setFloat32(index * size, data[index]!, true);
    else view.setUint16(index * size, halfBits(data[index]!), true);
  }
  return bytes;
}

const floatView = new DataView(new ArrayBuffer(4));

/** The bits of the nearest 16-bit float, ties to even. */
export function halfBits(value: number): number {
  floatView.setFloat32(0, value);
  const bits = floatView.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 the result is subnormal: count units of 2^-24.
  if (magnitude < 0x38800000) return sign | roundEven(Math.abs(value) * 2 ** 24);
  const rebased = magnitude - 0x38000000;
  return sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13);
}

function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
