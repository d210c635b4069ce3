/** What `stepwright doctor` reports about the native libraries. */
import { basename } from "node:path";
import { enums } from "./bindings.generated.js";
import { loadNative } from "./load.js";

export interface NativeDevice {
  readonly name: string;
  readonly description: string;
  readonly kind: "cpu" | "gpu" | "integrated-gpu" | "accelerator" | "other";
  /** Bytes; null where the device does not say. */
  readonly memoryFree: number | null;
  readonly memoryTotal: number | null;
}

export interface NativeDescription {
  /** npm package the libraries came from; null for a folder that the user named. */
  readonly package: string | null;
  readonly packageVersion: string | null;
  /** Name of the folder, without the path to it. */
  readonly folder: string;
  readonly llamaVersion: string;
  readonly ggmlVersion: string;
  /** Library file that was chosen for this processor; null where it is compiled in. */
  readonly cpuLibrary: string | null;
  readonly devices: readonly NativeDevice[];
  /** Instruction sets and options that the libraries use here. */
  readonly features: readonly string[];
  /** How many struct fields were compared with their known values. */
  readonly verifiedFields: number;
}

/** Loads the libraries if need be; throws what `loadNative` throws. */
export function describeNative(): NativeDescription {
  const native = loadNative();
  const { binaries } = native;
  const devices: NativeDevice[] = [];
  for (let index = 0; index < native.ggml_backend_dev_count(); index++) {
    const device = native.ggml_backend_dev_get(index);
    const memory = new BigUint64Array(2);
    native.ggml_backend_dev_memory(device, memory.subarray(0, 1), memory.subarray(1, 2));
    const [free, total] = memory;
    devices.push({
      name: native.ggml_backend_dev_name(device) ?? "",
      description: native.ggml_backend_dev_description(device) ?? "",
      kind: deviceKind(native.ggml_backend_dev_type(device)),
      memoryFree: free ? Number(free) : null,
      memoryTotal: total ? Number(total) : null,
    });
  }
  return {
    package: binaries.package,
    packageVersion: binaries.version,
    folder: basename(binaries.folder),
    llamaVersion: native.version,
    ggmlVersion: `${native.ggml_version()} (${native.ggml_commit()})`,
    cpuLibrary: native.cpuLibrary,
    devices,
    features: (native.llama_print_system_info() ?? "")
      .split(/[|:]/)
      .map((part) => part.trim())
      .filter((part) => / = 1$/.test(part))
      .map((part) => part.replace(/ = 1$/, "")),
    verifiedFields: native.verifiedFields,
  };
}

function deviceKind(type: number): NativeDevice["kind"] {
  const types = enums.ggml_backend_dev_type;
  switch (type) {
    case types.GGML_BACKEND_DEVICE_TYPE_CPU:
      return "cpu";
    case types.GGML_BACKEND_DEVICE_TYPE_GPU:
      return "gpu";
    case types.GGML_BACKEND_DEVICE_TYPE_IGPU:
      return "integrated-gpu";
    case types.GGML_BACKEND_DEVICE_TYPE_ACCEL:
      return "accelerator";
    default:
      return "other";
  }
}
