/** Reads a request's JSON body within its limits. */
import type { IncomingMessage } from "node:http";
import { ApiError } from "./api-error.js";
import { brokenAt, tooDeepAt } from "./json-text.js";
import type { HttpLimits } from "./limits.js";

export type JsonObject = Readonly<Record<string, unknown>>;

type BodyLimits = Pick<HttpLimits, "bodyBytes" | "jsonDepth">;

/** Throws 413, 415 and 400 `invalid_json` or `invalid_body`. */
export async function readJsonObject(incoming: IncomingMessage, limits: BodyLimits): Promise<JsonObject> {
  checkMediaType(incoming);
  const text = decode(await readBytes(incoming, limits.bodyBytes));
  const deep = tooDeepAt(text, limits.jsonDepth);
  if (deep !== undefined) {
    throw new ApiError(
      400,
      "invalid_json",
      `the body's JSON is nested deeper than ${limits.jsonDepth} levels at position ${deep}`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError(400, "invalid_json", `the body is not JSON: it breaks at position ${brokenAt(text)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const found = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
    throw new ApiError(400, "invalid_body", `the body must be a JSON object, not ${found}`);
  }
  return value as JsonObject;
}

function checkMediaType({ headers }: IncomingMessage): void {
  const type = headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new ApiError(415, "unsupported_media_type", "the body must be sent as application/json", {
      remedy: "set the header content-type: application/json",
      headers: { accept: "application/json" },
    });
  }
  const encoding = headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity") {
    throw new ApiError(415, "unsupported_media_type", "compressed bodies are not taken", {
      remedy: "send the body as it is",
      headers: { "accept-encoding": "identity" },
    });
  }
}

async function readBytes(incoming: IncomingMessage, most: number): Promise<Buffer> {
  if (Number(incoming.headers["content-length"] ?? 0) > most) throw tooLarge(most);
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      incoming.off("data", take).off("end", end).off("error", fail).off("close", gone);
      act();
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length <= most) chunks.push(chunk);
      else {
        incoming.pause();
        settle(() => reject(tooLarge(most)));
      }
    };
    const end = () => settle(() => resolve(Buffer.concat(chunks, length)));
    const gone = () =>
      settle(() =>
        reject(new ApiError(400, "incomplete_body", "the connection closed before the body's end")),
      );
    const fail = gone;
    incoming.on("data", take).on("end", end).on("error", fail).on("close", gone);
  });
}

/** What is left of the body is not read: the connection cannot be used again. */
function tooLarge(most: number): ApiError {
  return new ApiError(413, "body_too_large", `the body is larger than ${most} bytes`, {
    headers: { connection: "close" },
  });
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError(400, "invalid_json", "the body is not valid UTF-8");
  }
}
