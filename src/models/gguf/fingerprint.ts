import { createHash } from "node:crypto";
import type { ModelPart } from "./check.js";
import { type ByteSource, fileSource } from "./source.js";

/** Files up to this size are hashed whole. */
const wholeLimit = 64 * 2 ** 20;
const sampleBytes = 4096;
const samplesPerTensor = 4;

/**
 * Identity of a model's weights, equal for equal files wherever they lie. `sha256-` is the SHA-256 of all bytes, for
 * files up to 64 MiB. `sampled-` is for larger ones, in time that does not grow with the weights: SHA-256 over the
 * header, the size, and of every tensor its first, last and two inner blocks of 4 KiB. Training or quantizing again
 * moves every tensor and is seen; an edit of single numbers between the samples is not.
 */
export async function fingerprint(parts: readonly ModelPart[]): Promise<string> {
  const whole = parts.every(({ bytes }) => bytes <= wholeLimit);
  const hash = createHash("sha256");
  for (const part of parts) {
    const source = await fileSource(part.path);
    try {
      if (whole) await update(hash, source, 0, part.bytes);
      else await sample(hash, source, part);
    } finally {
      await source.close();
    }
  }
  return `${whole ? "sha256" : "sampled"}-${hash.digest("hex")}`;
}

async function sample(
  hash: ReturnType<typeof createHash>,
  source: ByteSource,
  part: ModelPart,
): Promise<void> {
  hash.update(`${part.bytes}\n`);
  await update(hash, source, 0, part.dataOffset);
  for (const { offset, bytes } of part.tensors) {
    if (bytes <= samplesPerTensor * sampleBytes) {
      await update(hash, source, offset, bytes);
      continue;
    }
    for (let index = 0; index < samplesPerTensor; index++) {
      const within = Math.floor(((bytes - sampleBytes) * index) / (samplesPerTensor - 1));
      await update(hash, source, offset + within, sampleBytes);
    }
  }
}

async function update(
  hash: ReturnType<typeof createHash>,
  source: ByteSource,
  position: number,
  length: number,
): Promise<void> {
  const piece = 2 ** 20;
  for (let done = 0; done < length; done += piece) {
    hash.update(await source.read(position + done, Math.min(piece, length - done)));
  }
}
