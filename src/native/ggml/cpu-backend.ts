/** ggml's CPU back end: computes graphs, on the calling thread or aside, and knows the kinds of memory there are. */
import koffi from "koffi";
import { StepwrightError } from "../../core/errors.js";
import type { AbortFlag } from "../abort-flag.js";
import { enums } from "../bindings.generated.js";
import { offThread } from "../library.js";
import type { Native } from "../load.js";
import type { Graph } from "./graph.js";
import type { Tensor } from "./tensor.js";

const { GGML_STATUS_SUCCESS, GGML_STATUS_ABORTED } = enums.ggml_status;

/** A kind of memory: plain, or one that stores weights in another order for this processor's kernels. */
export type BufferType = bigint;

export class CpuBackend {
  readonly native: Native;
  readonly handle: bigint;
  readonly #registry: bigint;

  /** `threads` compute threads; an `abort` flag that is raised stops a computation at its next node. */
  constructor(native: Native, options: { threads?: number; abort?: AbortFlag } = {}) {
    this.native = native;
    this.#registry = native.ggml_backend_dev_backend_reg(native.cpuDevice)!;
    const handle = native.ggml_backend_dev_init(native.cpuDevice, null);
    if (handle === null) throw new StepwrightError("engine-failed", "ggml's CPU back end does not start");
    this.handle = handle;
    const setThreads = koffi.proto("void(void *backend, int threads)");
    koffi.call(this.#procedure("ggml_backend_set_n_threads"), setThreads, handle, options.threads ?? 1);
    if (options.abort) {
      const setAbort = koffi.proto("void(void *backend, void *callback, void *data)");
      const callback = native.address("ggml_is_empty");
      const set = this.#procedure("ggml_backend_set_abort_callback");
      koffi.call(set, setAbort, handle, callback, options.abort.address);
    }
  }

  /** Plain memory. */
  get plain(): BufferType {
    return this.native.ggml_backend_cpu_buffer_type()!;
  }

  /**
   * Runs the graph on the calling thread. False when it was stopped by the abort flag.
   * @throws StepwrightError `engine-failed`
   */
  compute(graph: Graph): boolean {
    return this.#finished(this.native.ggml_backend_graph_compute(this.handle, graph.handle));
  }

  /** The same on a thread of its own: the event loop stays free. The graph must not be touched meanwhile. */
  async computeAside(graph: Graph): Promise<boolean> {
    return this.#finished(await offThread(this.native.ggml_backend_graph_compute, this.handle, graph.handle));
  }

  /** Memory that reorders matrices for this processor's fast kernels, best first; none on some processors. */
  repackingTypes(): BufferType[] {
    const list = koffi.proto("void *(void *device)");
    const get = this.native.ggml_backend_reg_get_proc_address(
      this.#registry,
      "ggml_backend_dev_get_extra_bufts",
    );
    const types: BufferType[] = [];
    const first = get === null ? null : (koffi.call(get, list, this.native.cpuDevice) as bigint | null);
    if (!first) return types;
    for (let index = 0; ; index++) {
      const type = koffi.decode(first, 8 * index, "void *") as bigint | null;
      if (!type) return types;
      types.push(type);
    }
  }

  /** Whether the operation that made `result` would run with `weight`, not yet allocated, in such memory. */
  supports(result: Tensor, weight: Tensor, type: BufferType): boolean {
    const buffer = this.native.ggml_backend_buft_alloc_buffer(type, 0);
    if (buffer === null) return false;
    weight.buffer = buffer;
    const supported = this.native.ggml_backend_dev_supports_op(this.native.cpuDevice, result.address);
    weight.buffer = 0n;
    this.native.ggml_backend_buffer_free(buffer);
    return supported;
  }

  free(): void {
    this.native.ggml_backend_free(this.handle);
  }

  #finished(status: number): boolean {
    if (status === GGML_STATUS_SUCCESS) return true;
    if (status === GGML_STATUS_ABORTED) return false;
    throw new StepwrightError("engine-failed", `a computation failed with ggml status ${status}`);
  }

  #procedure(name: string): bigint {
    const address = this.native.ggml_backend_reg_get_proc_address(this.#registry, name);
    if (address === null) throw new StepwrightError("native-mismatch", `ggml's CPU back end lacks ${name}`);
    return address;
  }
}
