/**
 * The state of a training on disk. A file is replaced whole, the one before it is kept, and a checksum ends it: a cut
 * while writing loses at most the steps since the last complete one.
 */
import { createHash } from "node:crypto";
import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";

const magic = "SWCHECK1";
const digestBytes = 32;
const longestHeader = 2 ** 24;

const count = z.int().min(0);
const headerSchema = z.object({
  /** Identity of recipe and data: a checkpoint never goes on under another one. */
  recipe: z.string(),
  /** Optimiser steps taken. */
  step: count,
  tokens: count,
  /** Index of the next example. */
  next: count,
  seconds: z.number().min(0),
  /** Sums since the last line of the log. */
  window: z.object({ steps: count, loss: z.number(), accuracy: z.number() }),
  tensors: z.array(z.object({ name: z.string(), length: count })),
});

export type TrainingProgressState = Omit<z.output<typeof headerSchema>, "tensors">;

export interface Checkpoint extends TrainingProgressState {
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

export const previousPath = (path: string): string => `${path}.previous`;

/** Throws `storage-failed`. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { tensors, ...state } = checkpoint;
  const header = Buffer.from(
    JSON.stringify({
      ...state,
      tensors: [...tensors].map(([name, values]) => ({ name, length: values.length })),
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const parts: Uint8Array[] = [Buffer.from(magic), length, header];
  for (const values of tensors.values()) {
    parts.push(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  }
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  parts.push(digest.digest());
  try {
    const partial = `${path}.partial`;
    const file = await open(partial, "w");
    try {
      await file.writev(parts);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(path, previousPath(path)).catch(ignoreMissing);
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    throw new StepwrightError("storage-failed", `the checkpoint ${path} cannot be written`, {
      remedy: "make room on the disk, or choose another folder",
      subject: path,
      cause,
    });
  }
}

/**
 * The newest complete checkpoint, or undefined where there is none. Throws `checkpoint-invalid` when files are there
 * and none of them is whole.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint | undefined> {
  let damaged: unknown;
  for (const candidate of [path, previousPath(path)]) {
    let bytes: Buffer;
    try {
      bytes = await readFile(candidate);
    } catch (error) {
      ignoreMissing(error);
      continue;
    }
    try {
      return decode(bytes);
    } catch (error) {
      damaged ??= error;
    }
  }
  if (damaged === undefined) return undefined;
  throw new StepwrightError("checkpoint-invalid", `${path} and the checkpoint before it are damaged`, {
    remedy: "delete both files to train from the start",
    subject: path,
    cause: damaged,
  });
}

function decode(bytes: Buffer): Checkpoint {
  const end = bytes.length - digestBytes;
  if (end < 12 || bytes.toString("latin1", 0, 8) !== magic) throw new Error("not a checkpoint");
  if (!createHash("sha256").update(bytes.subarray(0, end)).digest().equals(bytes.subarray(end))) {
    throw new Error("its checksum does not match");
  }
  const headerLength = bytes.readUInt32LE(8);
  if (headerLength > longestHeader || 12 + headerLength > end) throw new Error("its header is cut");
  const header = headerSchema.parse(JSON.parse(bytes.toString("utf8", 12, 12 + headerLength)));
  const tensors = new Map<string, Float32Array>();
  let offset = 12 + headerLength;
  for (const { name, length } of header.tensors) {
    if (offset + 4 * length > end) throw new Error("it holds fewer numbers than it names");
    // A copy, because the numbers need not lie at a multiple of four bytes.
    tensors.set(name, new Float32Array(Uint8Array.from(bytes.subarray(offset, offset + 4 * length)).buffer));
    offset += 4 * length;
  }
  return { ...header, tensors };
}

/** Makes the renames themselves last. */
async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // Some systems cannot sync a folder; their renames last anyway, or were never certain to.
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
