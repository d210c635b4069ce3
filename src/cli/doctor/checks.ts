/** What `stepwright doctor` looks at, one after the other. */
import { access, constants, mkdir, readdir } from "node:fs/promises";
import { availableParallelism, cpus, totalmem } from "node:os";
import { StepwrightError } from "../../core/errors.js";
import { memoryAvailable } from "../../models/gguf/size.js";
import { listModels } from "../../models/hub-inventory.js";
import { hubSettings } from "../../models/hub-settings.js";
import type { NativeDescription } from "../../native/describe.js";
import type { Host } from "../host.js";
import { bytes, count, seconds } from "../numbers.js";
import { runsFolder } from "../state-folder.js";
import { nativeFacts } from "./native-facts.js";
import { oneTokenTest } from "./one-token.js";

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
  /** The same for programs. */
  readonly facts?: unknown;
}

interface Examination {
  readonly host: Host;
  readonly signal: AbortSignal;
  /** Asked once, told twice. */
  native(): Promise<NativeDescription>;
}

type Check = (examination: Examination) => Promise<Omit<Finding, "check" | "ok">>;

/** A check passes by returning and fails by throwing. */
const checks: Readonly<Record<string, Check>> = {
  async node() {
    const version = process.versions.node;
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major < 20 || (major === 20 && minor < 19)) {
      throw new StepwrightError("native-unavailable", `Node ${version} is too old`, {
        remedy: "install Node 20.19 or newer",
      });
    }
    return { detail: `Node ${version} on ${process.platform}-${process.arch}` };
  },

  async processor() {
    const cores = availableParallelism();
    const model = cpus()[0]?.model.trim() ?? "unknown";
    return { detail: `${model}, ${cores} ${cores === 1 ? "thread" : "threads"}`, facts: { model, cores } };
  },

  async memory() {
    const facts = { available: memoryAvailable(), total: totalmem() };
    return { detail: `${bytes(facts.available)} available of ${bytes(facts.total)}`, facts };
  },

  async binaries({ native }) {
    const facts = await native();
    const source = facts.package
      ? `${facts.package} ${facts.packageVersion ?? ""}`.trim()
      : `folder ${facts.folder}`;
    const processor = facts.cpuLibrary ?? "processor code compiled in";
    return {
      detail: `llama.cpp ${facts.llamaVersion} from ${source}; ${processor}; ${facts.verifiedFields} fields verified`,
      facts,
    };
  },

  async devices({ native }) {
    const { devices, features } = await native();
    const names = devices.map(({ name, kind }) => `${name} (${kind})`).join(", ");
    return { detail: `${names}; ${features.join(" ")}`, facts: devices };
  },

  async storage({ host }) {
    const folder = runsFolder(host);
    try {
      await mkdir(folder, { recursive: true });
      await access(folder, constants.W_OK);
    } catch (cause) {
      throw new StepwrightError("storage-failed", `traces cannot be kept in ${folder}`, {
        remedy: "set STEPWRIGHT_HOME to a folder that can be written",
        cause,
      });
    }
    const traces = (await readdir(folder)).length;
    return { detail: `${folder}: ${count(traces)} traces`, facts: { folder, traces } };
  },

  async models({ host }) {
    const { cache, folders } = hubSettings(host.environment);
    const models = await listModels(hubSettings(host.environment));
    const usable = models.filter(({ model }) => model !== null).length;
    const broken = models.length - usable;
    const found = `${count(usable)} usable model ${usable === 1 ? "file" : "files"}`;
    return {
      detail: `${found}${broken > 0 ? `, ${count(broken)} unusable` : ""} in ${[cache, ...folders].join(", ")}`,
      facts: { folders: [cache, ...folders], usable, unusable: broken },
    };
  },

  async engine({ signal }) {
    const facts = await oneTokenTest(signal);
    return { detail: `one token of a tiny model in ${seconds(facts.seconds)}, engine start included`, facts };
  },
};

export async function* examine(host: Host, signal: AbortSignal): AsyncGenerator<Finding> {
  let facts: Promise<NativeDescription> | undefined;
  const native = () => (facts ??= nativeFacts(signal));
  for (const [check, look] of Object.entries(checks)) {
    try {
      yield { check, ok: true, ...(await look({ host, signal, native })) };
    } catch (thrown) {
      signal.throwIfAborted();
      const { message, remedy, cause } = StepwrightError.from(thrown).toJSON();
      yield {
        check,
        ok: false,
        detail: cause === undefined ? message : `${message}: ${cause}`,
        ...(remedy === undefined ? {} : { remedy }),
      };
    }
  }
}
