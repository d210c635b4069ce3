/** A disk in memory whose i-th write or sync fails, and every one after it. */
import type { OpenGrowingFile } from "../core/growing-file.js";

export interface DiskFaults {
  readonly write?: number;
  readonly sync?: number;
  /** A failing write leaves half of what it was given, as a full disk does. */
  readonly half?: boolean;
}

export function faultyDisk({ write = Infinity, sync = Infinity, half = false }: DiskFaults = {}) {
  const disk = { bytes: Buffer.alloc(0), writes: 0, syncs: 0, closed: 0 };
  const openFile: OpenGrowingFile = async () => ({
    async append(chunk) {
      const fails = disk.writes++ >= write;
      if (!fails || half) {
        const kept = fails ? chunk.subarray(0, chunk.length >> 1) : chunk;
        disk.bytes = Buffer.concat([disk.bytes, kept]);
      }
      if (fails) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    },
    async sync() {
      if (disk.syncs++ >= sync) throw Object.assign(new Error("input/output error"), { code: "EIO" });
    },
    async close() {
      disk.closed++;
    },
  });
  return { disk, openFile };
}
