/** A file that only grows, and survives a power cut at any byte up to the last sync. */
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

/** Tests put one with faults in its place. */
export interface GrowingFile {
  append(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens for appending after the first `kept` bytes, and cuts off what is beyond them; null makes a new file. */
export type OpenGrowingFile = (path: string, kept: number | null) => Promise<GrowingFile>;

/** The real file system. Folders on the way are made; a new file must not be there yet. */
export const openGrowingFile: OpenGrowingFile = async (path, kept) => {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, kept === null ? "wx" : "r+");
  try {
    if (kept === null) await syncFolder(dirname(path));
    else await file.truncate(kept);
  } catch (error) {
    await file.close();
    throw error;
  }
  let end = kept ?? 0;
  return {
    async append(chunk) {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await file.write(chunk, done, chunk.length - done, end);
        done += bytesWritten;
        end += bytesWritten;
      }
    },
    sync: () => file.datasync(),
    close: () => file.close(),
  };
};

/** Without this a new file's name can be lost in a power cut. Not every system can sync a folder. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
