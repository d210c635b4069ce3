/** Server-sent events out of a response, as the standard reads them: only what the server uses of it. */

export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** A line longer than this is no event. */
const longestLine = 16 * 2 ** 20;

export async function* sentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<SentEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let fields = { id: "", event: "message", data: [] as string[] };
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      if (rest.length > longestLine) throw new Error("the server sends a line without end");
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop()!;
      for (const line of lines) {
        if (line === "") {
          if (fields.data.length > 0) yield { ...fields, data: fields.data.join("\n") };
          fields = { id: fields.id, event: "message", data: [] };
          continue;
        }
        const colon = line.indexOf(":");
        const name = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
        if (name === "id") fields.id = value;
        else if (name === "event") fields.event = value;
        else if (name === "data") fields.data.push(value);
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
