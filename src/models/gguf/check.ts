/**
 * The check every model file passes before libllama sees it. libllama aborts the process on some of these and reads
 * out of bounds on none that we know of today; it did in the past (CVE-2025-53630, CVE-2026-27940).
 */
import { dirname, join } from "node:path";
import type { ModelSize } from "../../core/model.js";
import { invalidModel, shown } from "./header-reader.js";
import { Metadata } from "./metadata.js";
import { type GgufHeader, readHeader, type TensorInfo } from "./read.js";
import { bytesPerContextToken, sizeOf } from "./size.js";
import { type ByteSource, fileSource } from "./source.js";
import { readTokenizer, type TokenizerFacts } from "./tokenizer.js";

/** What a header says about a model. Nothing here needs the weights. */
export interface ModelFacts {
  /** `llama`, `qwen2`, ... */
  readonly architecture: string;
  /** `general.name`, where the file has one. */
  readonly title: string | null;
  readonly size: ModelSize;
  /** Numbers per hidden state. */
  readonly width: number;
  /** Bytes of KV cache that one token of context takes, at 16 bits. */
  readonly bytesPerContextToken: number;
  /** Commonest type of the matrices by bytes: `Q4_K`, `F16`, ... */
  readonly weightType: string;
  readonly chatTemplate: string | null;
  readonly tokenizer: TokenizerFacts;
  readonly metadata: Metadata;
}

export interface ModelPart {
  /** With symbolic links resolved. */
  readonly path: string;
  readonly bytes: number;
  readonly dataOffset: number;
  readonly tensors: readonly TensorInfo[];
}

export interface ModelFile extends ModelFacts {
  /** The path to hand to libllama: that of the first part, as it was given. */
  readonly path: string;
  /** One for a plain file, all of them for a split one. */
  readonly parts: readonly ModelPart[];
}

/** libllama's fixed limit; it aborts above. */
const mostLayers = 512;
const mostParts = 1000;

/**
 * Reads and checks the header of a model file, and of its other parts where it is split. Takes milliseconds
 * whatever the size of the weights. Throws `model-not-found` or `model-invalid`.
 */
export async function checkModelFile(path: string): Promise<ModelFile> {
  const first = await readPart(path);
  const paths = otherParts(path, first.header);
  const others = [];
  for (const [index, other] of paths.entries()) {
    const part = await readPart(other);
    const number = new Metadata(part.header.metadata, other).integer("split.no");
    if (number !== index + 1) throw invalidModel(other, `it says it is part ${number}, not ${index + 1}`);
    others.push(part);
  }
  const parts = [first, ...others];
  const tensors = parts.flatMap(({ part }) => part.tensors);
  const seen = new Set<string>();
  for (const { name } of tensors) {
    if (seen.has(name)) throw invalidModel(path, `two of its parts hold the tensor ${shown(name)}`);
    seen.add(name);
  }
  return { ...checkHeader({ ...first.header, tensors }, path), path, parts: parts.map(({ part }) => part) };
}

/** The checks on a header alone. `name` is used in errors. */
export function checkHeader(header: GgufHeader, name: string): ModelFacts {
  const metadata = new Metadata(header.metadata, name);
  const architecture = readArchitecture(metadata, header, name);
  const layers = metadata.bounded(`${architecture}.block_count`, 1, mostLayers);
  metadata.bounded(`${architecture}.context_length`, 1, 2 ** 31 - 1);
  const width = metadata.bounded(`${architecture}.embedding_length`, 1, 2 ** 20);
  checkHeads(metadata, architecture, width, layers, name);
  checkExperts(metadata, architecture, name);
  checkNorms(metadata, architecture, name);
  for (const tensor of header.tensors) checkStorage(tensor, name);
  const scaling = metadata.text(`${architecture}.rope.scaling.type`);
  if (scaling !== undefined && !["none", "linear", "yarn", "longrope"].includes(scaling)) {
    throw invalidModel(name, `its position scaling ${shown(scaling)} is not known`);
  }
  if ((metadata.integer(`${architecture}.nextn_predict_layers`) ?? 0) > layers) {
    throw invalidModel(name, "it declares more prediction layers than layers");
  }
  const tokenizer = readTokenizer(metadata, header, name);
  return {
    architecture,
    title: metadata.text("general.name") ?? null,
    size: sizeOf(metadata, architecture, header.tensors, tokenizer.count),
    width,
    bytesPerContextToken: bytesPerContextToken(metadata, architecture),
    weightType: commonestType(header.tensors),
    chatTemplate: metadata.text("tokenizer.chat_template") ?? null,
    tokenizer,
    metadata,
  };
}

async function readPart(path: string): Promise<{ header: GgufHeader; part: ModelPart }> {
  const source = await fileSource(path);
  try {
    return await partOf(source, source.path);
  } finally {
    await source.close();
  }
}

async function partOf(source: ByteSource, path: string): Promise<{ header: GgufHeader; part: ModelPart }> {
  const header = await readHeader(source);
  return {
    header,
    part: { path, bytes: source.size, dataOffset: header.dataOffset, tensors: header.tensors },
  };
}

/** libllama finds the parts of a split model by their names, so those names are what must be checked. */
function otherParts(path: string, header: GgufHeader): string[] {
  const metadata = new Metadata(header.metadata, path);
  const count = metadata.integer("split.count") ?? 0;
  if (count < 2) return [];
  if (count > mostParts) throw invalidModel(path, `it is split into ${count} parts`);
  const suffix = splitSuffix(0, count);
  if (metadata.integer("split.no") !== 0 || !path.endsWith(suffix)) {
    throw invalidModel(
      path,
      "it is a later part of a split model",
      `give the path of the part that ends in ${suffix}`,
    );
  }
  const prefix = path.slice(dirname(path).length + (dirname(path).endsWith("/") ? 0 : 1), -suffix.length);
  return Array.from({ length: count - 1 }, (_, index) =>
    join(dirname(path), `${prefix}${splitSuffix(index + 1, count)}`),
  );
}

function splitSuffix(index: number, count: number): string {
  const padded = (value: number) => String(value).padStart(5, "0");
  return `-${padded(index + 1)}-of-${padded(count)}.gguf`;
}

function readArchitecture(metadata: Metadata, header: GgufHeader, name: string): string {
  const kind = metadata.text("general.type") ?? "model";
  const architecture = metadata.text("general.architecture");
  if (kind !== "model" || architecture === "clip") {
    throw invalidModel(
      name,
      `it holds ${shown(kind === "model" ? "clip" : kind)}, not a language model`,
      "give a language model",
    );
  }
  if (architecture === undefined) throw invalidModel(name, "it does not name its architecture");
  if (!/^[a-z0-9][a-z0-9_.-]{0,63}$/i.test(architecture)) {
    throw invalidModel(name, `its architecture ${shown(architecture)} is not a name`);
  }
  if (header.tensors.length === 0) {
    throw invalidModel(name, "it holds no weights, only a vocabulary", "give a file with weights");
  }
  return architecture;
}

function checkHeads(
  metadata: Metadata,
  architecture: string,
  width: number,
  layers: number,
  name: string,
): void {
  const heads = metadata.perLayer(`${architecture}.attention.head_count`, layers);
  const kvHeads = metadata.perLayer(`${architecture}.attention.head_count_kv`, layers) ?? heads;
  const headSize = metadata.integer(`${architecture}.attention.key_length`);
  for (const [layer, count] of (heads ?? []).entries()) {
    const shared = kvHeads![layer]!;
    if (!(count >= 0 && count <= 65_536))
      throw invalidModel(name, `layer ${layer} has ${count} attention heads`);
    if (count > 0 && headSize === undefined && width % count !== 0) {
      throw invalidModel(name, `its width ${width} cannot be divided into ${count} attention heads`);
    }
    if (shared < 0 || shared > count || (shared > 0 && count % shared !== 0)) {
      throw invalidModel(name, `layer ${layer} has ${count} attention heads over ${shared} key-value heads`);
    }
  }
  for (const key of ["key_length", "value_length"]) {
    const size = metadata.integer(`${architecture}.attention.${key}`);
    if (size !== undefined && (size < 1 || size > 65_536)) throw invalidModel(name, `its ${key} is ${size}`);
  }
}

function checkExperts(metadata: Metadata, architecture: string, name: string): void {
  const experts = metadata.integer(`${architecture}.expert_count`) ?? 0;
  const used = metadata.largest(`${architecture}.expert_used_count`) ?? 0;
  if (experts < 0 || used < 0 || used > experts || (experts > 0 && used === 0)) {
    throw invalidModel(name, `it uses ${used} of ${experts} experts`);
  }
  const groups = metadata.integer(`${architecture}.expert_group_count`) ?? 0;
  const usedGroups = metadata.integer(`${architecture}.expert_group_used_count`) ?? 0;
  const isDivided = groups > 1 && experts % groups === 0 && usedGroups > 0 && usedGroups < groups;
  if (groups < 0 || (groups > 0 && groups >= experts) || (groups > 1 && !isDivided)) {
    throw invalidModel(name, `it uses ${usedGroups} of ${groups} groups of ${experts} experts`);
  }
}

function checkNorms(metadata: Metadata, architecture: string, name: string): void {
  for (const key of ["layer_norm_rms_epsilon", "layer_norm_epsilon"]) {
    const epsilon = metadata.number(`${architecture}.attention.${key}`);
    if (epsilon !== undefined && !(epsilon >= 0 && epsilon <= 1)) {
      throw invalidModel(name, `its ${key} is ${epsilon}`);
    }
  }
}

/** Weights in integers make libllama read outside its tables; the last two types exist only inside computations. */
const notWeights = new Set(["I8", "I16", "I32", "I64", "F64", "Q8_1", "Q8_K"]);
const vectorTypes = new Set(["F32", "F16", "BF16"]);

function checkStorage({ name: tensor, type, shape }: TensorInfo, name: string): void {
  if (!/\.(weight|bias)$/.test(tensor)) return;
  if (notWeights.has(type) || (shape.length < 2 && !vectorTypes.has(type))) {
    throw invalidModel(name, `tensor ${shown(tensor)} is stored as ${type}`);
  }
}

function commonestType(tensors: readonly TensorInfo[]): string {
  const bytes = new Map<string, number>();
  for (const tensor of tensors) bytes.set(tensor.type, (bytes.get(tensor.type) ?? 0) + tensor.bytes);
  return [...bytes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "none";
}
