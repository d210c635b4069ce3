/** Loads libllama and ggml once per process, and refuses a library whose memory layout is not the one we were written for. */
import { basename } from "node:path";
import koffi from "koffi";
import { StepwrightError } from "../core/errors.js";
import { type Binaries, findBinaries } from "./binaries.js";
import { defaults, enums, llamaVersion } from "./bindings.generated.js";
import { bindFunctions, declareStructs, type NativeFunctions, type Struct } from "./library.js";
import { NativeLog } from "./native-log.js";

export interface Native extends NativeFunctions {
  readonly binaries: Binaries;
  readonly log: NativeLog;
  /** What libllama calls itself. */
  readonly version: string;
  /** File name of the CPU library that was chosen for this processor; null where it is compiled in. */
  readonly cpuLibrary: string | null;
  /** How many default parameters were compared with the known ones. */
  readonly verifiedFields: number;
  /** ggml's device handle of the processor. */
  readonly cpuDevice: bigint;
  readonly hasGpu: boolean;
  /** Address of an exported C function, to hand to C as a callback. */
  address(name: "ggml_is_empty"): bigint;
}

let loaded: Native | undefined;

/**
 * The libraries, loaded on the first call. Throws `native-unavailable` (nothing installed for this platform, or
 * it cannot be loaded) or `native-mismatch` (a library of another version).
 */
export function loadNative(): Native {
  loaded ??= loadFirst(findBinaries());
  return loaded;
}

function loadFirst(candidates: readonly Binaries[]): Native {
  const failures: unknown[] = [];
  for (const binaries of candidates) {
    try {
      return loadFrom(binaries);
    } catch (error) {
      // A GPU package without its driver must not keep the CPU package from working.
      failures.push(error);
    }
  }
  const last = failures.at(-1);
  if (StepwrightError.is(last)) throw last;
  throw new StepwrightError("native-unavailable", "the llama.cpp libraries cannot be loaded", {
    remedy: "run stepwright doctor; on Linux the libraries need glibc 2.35 or newer",
    cause: last,
  });
}

function loadFrom(binaries: Binaries): Native {
  declareStructs();
  // Global, because each library finds the one before it by its exported names.
  const base = koffi.load(binaries.files["ggml-base"], { global: true });
  const ggml = koffi.load(binaries.files.ggml, { global: true });
  const llama = koffi.load(binaries.files.llama, { global: true });
  // The version first: a library of another release may lack functions that we are about to bind.
  const version = String(llama.func("llama_version", "str", [])());
  verifyVersion(version);
  const calls: NativeFunctions = {
    ...bindFunctions("ggml-base", base),
    ...bindFunctions("ggml", ggml),
    ...bindFunctions("llama", llama),
  };
  const verifiedFields = verifyDefaults({
    llama_model_params: calls.llama_model_default_params(),
    llama_context_params: calls.llama_context_default_params(),
  });

  // llama_max_devices returns a constant: as a log callback it is the native function that does nothing.
  const log = new NativeLog(calls.llama_log_set, llama.symbol("llama_max_devices") as bigint);
  const { lines } = log.collect(() => {
    // The registry belongs to the process: a second thread that loads us must not register the devices twice.
    if (calls.ggml_backend_dev_count() === 0) calls.ggml_backend_load_all_from_path(binaries.folder);
    calls.llama_backend_init();
  });
  const cpuDevice = calls.ggml_backend_dev_by_type(enums.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU);
  if (cpuDevice === null) {
    throw new StepwrightError("native-unavailable", "no llama.cpp library fits this processor", {
      remedy: "reinstall the platform package; its folder must hold libggml-cpu",
      subject: binaries.folder,
    });
  }
  const cpuPath = lines.map(({ text }) => /loaded CPU backend from (.+)$/m.exec(text)?.[1]).find(Boolean);
  return {
    ...calls,
    binaries,
    log,
    version,
    cpuLibrary: cpuPath === undefined ? null : basename(cpuPath.trim()),
    verifiedFields,
    cpuDevice,
    hasGpu: calls.llama_supports_gpu_offload(),
    address: (name) => base.symbol(name) as bigint,
  };
}

/** Throws `native-mismatch` unless `version` is the release that the bindings were generated from. */
export function verifyVersion(version: string): void {
  // Prebuilt libraries say "0.5.0-dev" of release 0.5.0.
  if (version === llamaVersion || version.startsWith(`${llamaVersion}-`)) return;
  throw new StepwrightError(
    "native-mismatch",
    `libllama is version ${version}, stepwright needs ${llamaVersion}`,
    {
      remedy: "install the platform package at the version that stepwright's package.json names",
      subject: "llama_version",
    },
  );
}

/**
 * Compares what the library's default functions return with what its source says, field by field: a struct
 * that has moved shows up as a wrong value. Returns how many fields were compared; throws `native-mismatch`.
 */
export function verifyDefaults(returned: Readonly<Record<string, Struct>>): number {
  let verified = 0;
  for (const [struct, fields] of Object.entries(defaults)) {
    for (const [field, expected] of Object.entries(fields)) {
      const value = returned[struct]?.[field];
      if (value !== expected) {
        throw new StepwrightError(
          "native-mismatch",
          `libllama's ${struct}.${field} is ${String(value)} by default, expected ${String(expected)}`,
          {
            remedy: "install the platform package at the version that stepwright's package.json names",
            subject: `${struct}.${field}`,
          },
        );
      }
      verified++;
    }
  }
  return verified;
}
