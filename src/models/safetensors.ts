/** Reads the header of a safetensors file without trusting it: 8 bytes of length, then a JSON table of tensors. */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { ByteSource } from "./gguf/source.js";

/** Whole models of hundreds of layers stay below a megabyte. */
const longestHeader = 16 * 2 ** 20;

const length = z.int().min(0);

const entry = z.object({
  dtype: z.string().max(16),
  shape: z.array(length).max(8),
  data_offsets: z.tuple([length, length]),
});

export interface SafetensorsEntry {
  /** Slowest dimension first. */
  readonly shape: readonly number[];
  /** As the file names it: `F32`, `BF16`, ... */
  readonly format: string;
  /** Position in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** Every tensor by name. Throws `model-invalid`. */
export async function readSafetensorsHeader(
  source: ByteSource,
): Promise<ReadonlyMap<string, SafetensorsEntry>> {
  const { table, dataOffset, fail } = await readTable(source);
  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, value] of Object.entries(table)) {
    if (name === metadataKey) continue;
    const parsed = entry.safeParse(value);
    if (!parsed.success) throw fail(`the entry of tensor ${JSON.stringify(name.slice(0, 80))} is malformed`);
    const { dtype, shape, data_offsets: range } = parsed.data;
    const [from, to] = range;
    if (to < from || dataOffset + to > source.size) {
      throw fail(`tensor ${JSON.stringify(name.slice(0, 80))} lies outside the file`);
    }
    entries.set(name, { shape, format: dtype, offset: dataOffset + from, bytes: to - from });
  }
  return entries;
}

/** What the file says about itself: its table of texts, empty where it has none. Throws `model-invalid`. */
export async function readSafetensorsFacts(source: ByteSource): Promise<ReadonlyMap<string, string>> {
  const { table, fail } = await readTable(source);
  const facts = z
    .record(z.string(), z.string())
    .safeParse(Object.hasOwn(table, metadataKey) ? table[metadataKey] : {});
  if (!facts.success) throw fail("its metadata is not a table of texts");
  return new Map(Object.entries(facts.data));
}

const metadataKey = "__metadata__";

async function readTable(source: ByteSource) {
  const fail = (problem: string) =>
    new StepwrightError("model-invalid", `${source.name} is not a safetensors file: ${problem}`, {
      subject: source.name,
      remedy: "give a .safetensors file with the head's tensors, or a GGUF",
    });
  if (source.size < 8) throw fail("it is shorter than any header");
  const start = await source.read(0, 8);
  const declared = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (declared > BigInt(Math.min(longestHeader, source.size - 8))) {
    throw fail(`its header declares ${declared} bytes`);
  }
  const text = Buffer.from(await source.read(8, Number(declared))).toString("utf8");
  return { table: parseObject(text, fail), dataOffset: 8 + Number(declared), fail };
}

function parseObject(text: string, fail: (problem: string) => StepwrightError): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail("its header is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fail("its header is not a table");
  }
  return value as Record<string, unknown>;
}
