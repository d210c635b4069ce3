/** Server-sent events, read strictly: lines of `data`, in UTF-8, of bounded length. */

export class StreamFault extends Error {}

/**
 * The data of each event. Comments (servers send them as pings) and other fields are passed over. Throws `StreamFault`
 * for a line over the limit, bytes that are no UTF-8, or a stream that is no event stream.
 */
export async function* eventData(
  chunks: AsyncIterable<Uint8Array>,
  mostLineBytes: number,
): AsyncGenerator<string, void, undefined> {
  let data: string[] = [];
  let length = 0;
  for await (const line of lines(chunks, mostLineBytes)) {
    if (line === "") {
      if (data.length > 0) yield data.join("\n");
      data = [];
      length = 0;
      continue;
    }
    if (line.startsWith(":")) continue;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    if (!/^(data|event|id|retry)$/.test(field))
      throw new StreamFault("the stream has a line that is no event");
    if (field !== "data") continue;
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    length += value.length;
    if (length > mostLineBytes) throw new StreamFault("an event of the stream is too long");
    data.push(value);
  }
  // An event without its blank line was cut off on the way.
}

async function* lines(chunks: AsyncIterable<Uint8Array>, most: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let afterReturn = false;
  for await (let chunk of chunks) {
    while (chunk.length > 0) {
      // "\r\n" may come apart between two chunks.
      if (afterReturn && chunk[0] === 10) chunk = chunk.subarray(1);
      afterReturn = false;
      const end = chunk.findIndex((byte) => byte === 10 || byte === 13);
      const piece = end < 0 ? chunk : chunk.subarray(0, end);
      length += piece.length;
      if (length > most) throw new StreamFault("a line of the stream is too long");
      if (piece.length > 0) parts.push(piece);
      if (end < 0) break;
      yield decoded(parts);
      parts = [];
      length = 0;
      afterReturn = chunk[end] === 13;
      chunk = chunk.subarray(end + 1);
    }
  }
}

function decoded(parts: readonly Uint8Array[]): string {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
  } catch (cause) {
    throw new StreamFault("the stream is not UTF-8", { cause });
  }
}
