/**
 * Reads a GGUF header without trusting it, before any native code sees the file: bounded memory, bounded time,
 * lengths compared with the file's size before they are used, long arrays walked and not kept.
 */
import {
  alignUp,
  defaultAlignment,
  type ElementType,
  magic,
  type NumberType,
  newestVersion,
  oldestVersion,
  valueBytes,
  valueTypeOf,
} from "./format.js";
import { HeaderReader, readName, shown } from "./header-reader.js";
import { layOut, type PlacedTensor, readTensor } from "./read-tensors.js";
import type { ByteSource } from "./source.js";

export type MetadataValue =
  /** 64-bit integers beyond 2^53 are bigints. */
  | { readonly type: NumberType; readonly value: number | bigint }
  | { readonly type: "bool"; readonly value: boolean }
  /** Null where longer than 1 MiB. */
  | { readonly type: "string"; readonly value: string | null; readonly bytes: number }
  /** Values are kept for short arrays of numbers (per-layer settings) only. */
  | {
      readonly type: "array";
      readonly of: ElementType;
      readonly count: number;
      readonly values: readonly number[] | null;
    };

export interface TensorInfo {
  readonly name: string;
  /** Length of a row first. */
  readonly shape: readonly number[];
  /** `F32`, `Q4_K`, ... */
  readonly type: string;
  readonly elements: number;
  readonly bytes: number;
  /** Position in the file. */
  readonly offset: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly alignment: number;
  readonly metadata: ReadonlyMap<string, MetadataValue>;
  readonly tensors: readonly TensorInfo[];
  /** Bytes of the header with its padding: where the weights begin. */
  readonly dataOffset: number;
  /** The vocabulary as the file has it; one character per byte, cut at a zero byte as C code does. */
  readonly tokens: readonly string[] | null;
  /** One per token: 1 ordinary, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  readonly tokenTypes: readonly number[] | null;
}

/** libllama compares every name with every other, so many names cost it minutes. */
const mostEntries = 16_384;
const longestKey = 65_535;
const longestText = 2 ** 20;
const keptText = 8 * 2 ** 20;
const keptNumbers = 1024;
const mostTokens = 2 ** 20;

/** Throws `model-invalid` with the first thing that is wrong. */
export async function readHeader(source: ByteSource): Promise<GgufHeader> {
  const reader = new HeaderReader(source);
  if (source.size < 24)
    throw reader.fail(source.size === 0 ? "it is empty" : "it is shorter than any header");
  await reader.need(24);
  const version = readVersion(reader);
  const tensorCount = readCount(reader, "tensors");
  const entryCount = readCount(reader, "metadata entries");
  const kept: Kept = { metadata: new Map(), tokens: null, tokenTypes: null, text: 0 };
  for (let index = 0; index < entryCount; index++) await readEntry(reader, kept);
  const alignment = readAlignment(reader, kept.metadata);
  const placed: PlacedTensor[] = [];
  const names = new Set<string>();
  for (let index = 0; index < tensorCount; index++) placed.push(await readTensor(reader, names));
  const dataOffset = tensorCount === 0 ? reader.offset : alignUp(reader.offset, alignment);
  return {
    version,
    alignment,
    metadata: kept.metadata,
    tensors: layOut(reader, placed, dataOffset, alignment),
    dataOffset,
    tokens: kept.tokens,
    tokenTypes: kept.tokenTypes,
  };
}

interface Kept {
  readonly metadata: Map<string, MetadataValue>;
  tokens: string[] | null;
  tokenTypes: number[] | null;
  /** Bytes of text kept so far. */
  text: number;
}

function readVersion(reader: HeaderReader): number {
  const found = Buffer.from(reader.take(4)).toString("latin1");
  if (found !== magic) throw reader.fail(`it begins with ${shown(found)} where "GGUF" is expected`);
  const version = reader.value(4, (view, at) => view.getUint32(at, true));
  // Version 3 with its bytes reversed has no low half; llama.cpp tells byte orders apart in the same way.
  if (version !== 0 && version % 2 ** 16 === 0) throw reader.fail("it was written for big-endian machines");
  if (version > newestVersion)
    throw reader.fail(`version ${version} is newer than the versions known here (2 and 3)`);
  if (version < oldestVersion) throw reader.fail(`version ${version} is not supported (2 and 3 are)`);
  return version;
}

function readCount(reader: HeaderReader, what: string): number {
  const count = reader.value(8, (view, at) => view.getBigInt64(at, true));
  if (count < 0n || count > BigInt(mostEntries)) {
    throw reader.fail(`it declares ${count} ${what}; at most ${mostEntries} are accepted`);
  }
  return Number(count);
}

async function readEntry(reader: HeaderReader, kept: Kept): Promise<void> {
  const key = await readName(reader, "metadata key", longestKey);
  if (kept.metadata.has(key)) throw reader.fail(`the metadata key ${shown(key)} appears twice`);
  await reader.need(4);
  const type = valueTypeOf(reader.value(4, (view, at) => view.getInt32(at, true)));
  if (type === undefined) throw reader.fail(`the metadata key ${shown(key)} has a value of no known type`);
  if (type === "array") kept.metadata.set(key, await readArray(reader, key, kept));
  else if (type === "string") kept.metadata.set(key, await readText(reader, kept));
  else kept.metadata.set(key, await readScalar(reader, type));
}

async function readScalar(
  reader: HeaderReader,
  type: Exclude<ElementType, "string">,
): Promise<MetadataValue> {
  await reader.need(valueBytes[type]);
  const value = reader.value(valueBytes[type], getters[type]);
  return type === "bool" ? { type, value: value !== 0 } : { type, value: safeNumber(value) };
}

async function readText(reader: HeaderReader, kept: Kept): Promise<MetadataValue> {
  await reader.need(8);
  const bytes = reader.length();
  if (bytes > longestText || kept.text + bytes > keptText) {
    reader.skip(bytes);
    return { type: "string", value: null, bytes };
  }
  await reader.need(bytes);
  kept.text += bytes;
  return { type: "string", value: Buffer.from(reader.take(bytes)).toString("utf8"), bytes };
}

async function readArray(reader: HeaderReader, key: string, kept: Kept): Promise<MetadataValue> {
  await reader.need(12);
  const of = valueTypeOf(reader.value(4, (view, at) => view.getInt32(at, true)));
  const count = reader.length();
  if (of === undefined) throw reader.fail(`the array ${shown(key)} has elements of no known type`);
  if (of === "array") throw reader.fail(`the array ${shown(key)} has arrays as elements`);
  const least = of === "string" ? 8 : valueBytes[of];
  if (!(reader.offset + count * least <= reader.source.size)) {
    throw reader.fail(`the array ${shown(key)} declares ${count} elements, more than the file has room for`);
  }
  if (of === "string") {
    const tokens = key === "tokenizer.ggml.tokens" ? [] : null;
    if (tokens && count > mostTokens)
      throw reader.fail(`it has ${count} tokens; at most ${mostTokens} are accepted`);
    if (tokens) kept.tokens = tokens;
    await readStrings(reader, count, tokens);
    return { type: "array", of, count, values: null };
  }
  const isTypes = key === "tokenizer.ggml.token_type" && of === "int32" && count <= mostTokens;
  if (count > keptNumbers && !isTypes) {
    reader.skip(count * least);
    return { type: "array", of, count, values: null };
  }
  const values: number[] = [];
  for (let index = 0; index < count; index++) {
    if (!reader.has(least)) await reader.need(least);
    values.push(Number(reader.value(least, getters[of])));
  }
  if (isTypes) kept.tokenTypes = values;
  return { type: "array", of, count, values: count > keptNumbers ? null : values };
}

async function readStrings(reader: HeaderReader, count: number, into: string[] | null): Promise<void> {
  for (let index = 0; index < count; index++) {
    if (!reader.has(8)) await reader.need(8);
    const length = reader.length();
    if (into === null) {
      if (reader.has(length)) reader.offset += length;
      else reader.skip(length);
      continue;
    }
    if (length > longestKey) throw reader.fail(`token ${index} has ${length} bytes`);
    if (!reader.has(length)) await reader.need(length);
    const text = Buffer.prototype.latin1Slice.call(reader.take(length), 0, length);
    const end = text.indexOf("\0");
    into.push(end < 0 ? text : text.slice(0, end));
  }
}

function readAlignment(reader: HeaderReader, metadata: ReadonlyMap<string, MetadataValue>): number {
  const entry = metadata.get("general.alignment");
  if (entry === undefined) return defaultAlignment;
  if (entry.type !== "uint32") throw reader.fail(`general.alignment is of type ${entry.type}, not uint32`);
  const alignment = Number(entry.value);
  if (alignment < 8 || alignment > 2 ** 20 || !Number.isInteger(Math.log2(alignment))) {
    throw reader.fail(`its alignment is ${alignment}; a power of two from 8 to 1048576 is expected`);
  }
  return alignment;
}

const getters: Readonly<
  Record<Exclude<ElementType, "string">, (view: DataView, at: number) => number | bigint>
> = {
  uint8: (view, at) => view.getUint8(at),
  int8: (view, at) => view.getInt8(at),
  bool: (view, at) => view.getInt8(at),
  uint16: (view, at) => view.getUint16(at, true),
  int16: (view, at) => view.getInt16(at, true),
  uint32: (view, at) => view.getUint32(at, true),
  int32: (view, at) => view.getInt32(at, true),
  float32: (view, at) => view.getFloat32(at, true),
  uint64: (view, at) => view.getBigUint64(at, true),
  int64: (view, at) => view.getBigInt64(at, true),
  float64: (view, at) => view.getFloat64(at, true),
};

function safeNumber(value: number | bigint): number | bigint {
  return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}
