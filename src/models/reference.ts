/** Model references as people write them, taken apart. Parsing touches neither files nor the network. */
import { StepwrightError } from "../core/errors.js";
import { nearest } from "../core/registry.js";
import { type RemoteOptions, remoteOptionsSchema } from "./remote/remote-options.js";

export interface FileReference {
  readonly kind: "file";
  /** As written; relative to the working folder. */
  readonly path: string;
}

export interface HubReference {
  readonly kind: "hub";
  /** `owner/name`. */
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** Either a file's path in the repository, or the name of a quantization (`Q4_K_M`) to choose the file by. */
  readonly choice: { readonly file: string } | { readonly quant: string };
}

export interface RemoteReference {
  readonly kind: "remote";
  /** Base address, without a slash at its end. */
  readonly url: string;
  /** The server's name for the model. */
  readonly model: string;
  /** What is said of the model beside its name. */
  readonly options: RemoteOptions;
}

export interface LabReference {
  readonly kind: "lab";
  readonly name: string;
}

/** A file's reference, to be opened as a white box. */
export interface GraphReference {
  readonly kind: "graph";
  readonly model: FileReference | HubReference | LabReference;
}

export type ModelReference = FileReference | HubReference | RemoteReference | LabReference | GraphReference;

const schemes = ["hf", "lab", "http", "https", "graph"];

/**
 * `model.gguf`, `hf:owner/repository/file.gguf`, `hf:owner/repository:Q4_K_M` (each with `@revision` after the
 * repository where wanted), `http://host:port/v1#model`, `lab:draft`; `graph:` before a file's reference opens it as a
 * white box. Throws `invalid-option`.
 */
export function parseModelReference(text: string): ModelReference {
  if (text === "") throw invalid(text, "it is empty");
  if (/\p{Cc}/u.test(text)) throw invalid(text, "it holds control characters");
  // One letter before the colon is a Windows drive.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1];
  if (scheme === undefined) return parsePath(text);
  switch (scheme.toLowerCase()) {
    case "hf":
      return parseHub(text, text.slice(3));
    case "lab":
      return parseLab(text, text.slice(4));
    case "graph":
      return parseGraph(text, text.slice(6));
    case "http":
    case "https":
      return parseRemote(text);
  }
  if (/\.gguf$/i.test(text) && /[\\/]/.test(text.slice(0, text.indexOf(":"))))
    return { kind: "file", path: text };
  const near = nearest(scheme.toLowerCase(), schemes);
  throw invalid(text, `"${scheme}:" is no kind of model`, near ? `did you mean "${near}:"?` : undefined);
}

/** The reference in its usual spelling. */
export function formatModelReference(reference: ModelReference): string {
  switch (reference.kind) {
    case "file":
      return reference.path;
    case "lab":
      return `lab:${reference.name}`;
    case "graph":
      return `graph:${formatModelReference(reference.model)}`;
    case "remote":
      return `${reference.url}${formatOptions(reference.options)}#${reference.model}`;
    case "hub": {
      const { repository, revision, choice } = reference;
      const at = revision === "main" ? "" : `@${revision}`;
      return `hf:${repository}${at}${"file" in choice ? `/${choice.file}` : `:${choice.quant}`}`;
    }
  }
}

/**
 * True for a path inside a repository that is safe as a path on disk too: plain names between slashes, none of them
 * hidden or pointing upwards. Names that a hub lists pass this before they are used.
 */
export function isSafeFile(path: string): boolean {
  return path.length <= 512 && path.split("/").every(isPlainName);
}

function isPlainName(name: string): boolean {
  return (
    /^[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}$/.test(name) &&
    !name.endsWith(".") &&
    // Devices on Windows, whatever their extension.
    !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name)
  );
}

function parsePath(text: string): FileReference {
  // A bare word is more likely a mistake than a file; blobs of other programs' caches have no extension.
  if (!/\.(gguf|safetensors)$/i.test(text) && !/[\\/]/.test(text)) {
    throw invalid(text, "it names no .gguf file", `write ./${text} if it is a file without that extension`);
  }
  return { kind: "file", path: text };
}

function parseHub(text: string, rest: string): HubReference {
  const match = /^([^/:@]+)\/([^/:@]+)(?:@([^/:]+))?(?:\/(.+)|:(.+))?$/.exec(rest);
  if (!match)
    throw invalid(text, "a hub reference is hf:owner/repository:quant or hf:owner/repository/file.gguf");
  const [, owner, name, revision = "main", file, quant] = match;
  if (![owner!, name!, revision].every(isPlainName) || name!.includes("..")) {
    throw invalid(text, "owner, repository and revision are letters, digits, dots, dashes and underscores");
  }
  const repository = `${owner}/${name}`;
  if (file !== undefined) {
    if (!isSafeFile(file)) throw invalid(text, `"${file}" is not a plain path inside the repository`);
    if (!/\.gguf$/i.test(file)) throw invalid(text, `"${file}" is not a .gguf file`);
    return { kind: "hub", repository, revision, choice: { file } };
  }
  if (quant === undefined) {
    throw invalid(text, "it names no file", `add a quantization (hf:${repository}:Q4_K_M) or a file`);
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(quant)) {
    throw invalid(text, `"${quant}" is not the name of a quantization`);
  }
  return { kind: "hub", repository, revision, choice: { quant } };
}

function parseLab(text: string, name: string): LabReference {
  if (!/^[a-z][a-z0-9-]{0,63}$/.test(name)) {
    throw invalid(text, "a lab model is one lower-case word", "write lab:draft or lab:target");
  }
  return { kind: "lab", name };
}

function parseGraph(text: string, rest: string): GraphReference {
  const model = parseModelReference(rest);
  if (model.kind !== "remote" && model.kind !== "graph") return { kind: "graph", model };
  throw invalid(text, `"${model.kind}" is no file`, "write graph: before a path, hf: or lab: reference");
}

function parseRemote(text: string): RemoteReference {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw invalid(text, "it is not an address");
  }
  if (url.username !== "" || url.password !== "") {
    throw invalid(text, "it holds a name or password", "give keys through the environment");
  }
  const model = decodeFragment(text, url.hash.slice(1));
  if (model === "") throw invalid(text, "it names no model", "write http://host:port/v1#model-name");
  const options = parseOptions(text, url.searchParams);
  return { kind: "remote", url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`, model, options };
}

function parseOptions(text: string, query: URLSearchParams): RemoteOptions {
  const known = Object.keys(remoteOptionsSchema.shape);
  for (const name of query.keys()) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw invalid(
      text,
      `it has no option "${name}"`,
      near ? `did you mean "${near}"?` : `known: ${known.join(", ")}`,
    );
  }
  const parsed = remoteOptionsSchema.safeParse(Object.fromEntries(query));
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw invalid(text, `its option "${path.join(".")}" is not valid: ${message}`);
}

function formatOptions(options: RemoteOptions): string {
  const given = Object.entries(options).map(([name, value]): [string, string] => [name, String(value)]);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

function decodeFragment(text: string, fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    throw invalid(text, "its model name has a broken percent escape");
  }
}

function invalid(text: string, problem: string, remedy?: string): StepwrightError {
  const shown = text.replace(/\p{C}/gu, "?").slice(0, 120);
  return new StepwrightError("invalid-option", `"${shown}" is not a model reference: ${problem}`, {
    subject: shown,
    remedy:
      remedy ??
      "write a path to a .gguf file, hf:owner/repository:quant, hf:owner/repository/file.gguf, or http://host:port/v1#model",
  });
}
