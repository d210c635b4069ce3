/** Where header bytes come from: a file, read piece by piece, or bytes in memory (tests). */
import { constants } from "node:fs";
import { type FileHandle, open, realpath } from "node:fs/promises";
import { StepwrightError } from "../../core/errors.js";

export interface ByteSource {
  /** Named in errors. */
  readonly name: string;
  readonly size: number;
  /** The bytes [position, position + length), fewer only at the end of the source. */
  read(position: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

export function bytesSource(bytes: Uint8Array, name = "bytes"): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
    close: async () => {},
  };
}

/**
 * Opens a regular file; symbolic links are followed (the Hugging Face cache is made of them). Directories, pipes,
 * sockets and devices are refused as `model-invalid`, a missing path as `model-not-found`.
 */
export async function fileSource(path: string): Promise<ByteSource & { readonly path: string }> {
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    return {
      name: path,
      path: await realpath(path),
      size,
      read: (position, length) => readFully(handle, position, Math.min(length, size - position)),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openRegular(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    // Opening a pipe would otherwise wait for a writer.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw openError(path, error);
  }
  const stat = await handle.stat();
  if (stat.isFile()) return handle;
  await handle.close();
  throw new StepwrightError(
    "model-invalid",
    `${path} is ${stat.isDirectory() ? "a directory" : "not a regular file"}`,
    {
      subject: path,
      remedy: "give the path of a .gguf file",
    },
  );
}

function openError(path: string, cause: unknown): StepwrightError {
  const code = (cause as { code?: string }).code;
  if (code === "EACCES" || code === "EPERM") {
    return new StepwrightError("model-invalid", `${path} may not be read`, {
      subject: path,
      remedy: "change the file's permissions",
      cause,
    });
  }
  if (code === "ENXIO" || code === "ENODEV" || code === "EISDIR") {
    return new StepwrightError("model-invalid", `${path} is not a regular file`, {
      subject: path,
      remedy: "give the path of a .gguf file",
      cause,
    });
  }
  return new StepwrightError("model-not-found", `there is no model file ${path}`, {
    subject: path,
    remedy: "check the path, or fetch a model with `stepwright models pull hf:owner/repository:quant`",
    cause,
  });
}

async function readFully(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(Math.max(0, length));
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
