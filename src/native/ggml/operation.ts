/** What a tensor is computed from, and another way to compute the same. */
import koffi from "koffi";
import { StepwrightError } from "../../core/errors.js";
import { layouts } from "../bindings.generated.js";
import type { Native } from "../load.js";
import { Tensor } from "./tensor.js";

const { offsets } = layouts.ggml_tensor!;
const mostOperations = 256;

/** Names of ggml's operations by their codes (`MUL_MAT`, `OUT_PROD`, `TRANSPOSE`, ...). */
export class Operations {
  readonly #codes = new Map<string, number>();
  readonly #names: string[] = [];

  constructor(native: Native) {
    for (let code = 0; code < mostOperations; code++) {
      const name = native.ggml_op_name(code);
      if (!name || this.#codes.has(name)) break;
      this.#codes.set(name, code);
      this.#names.push(name);
    }
  }

  nameOf(tensor: Tensor): string | undefined {
    return this.#names[koffi.decode(tensor.address, offsets.op!, "int32_t") as number];
  }

  /** The operand at an index; null where there is none. */
  operand(tensor: Tensor, index: number): Tensor | null {
    const address = koffi.decode(tensor.address, offsets.src! + 8 * index, "void *") as bigint | null;
    return address ? new Tensor(address) : null;
  }

  /** From now on the tensor is computed by another operation on two operands, which must give the same shape. */
  replace(tensor: Tensor, name: string, operands: readonly [Tensor, Tensor]): void {
    const code = this.#codes.get(name);
    if (code === undefined) throw new StepwrightError("native-mismatch", `ggml has no operation ${name}`);
    koffi.encode(tensor.address, offsets.op!, "int32_t", code);
    operands.forEach(({ address }, index) => {
      koffi.encode(tensor.address, offsets.src! + 8 * index, "void *", address);
    });
  }
}
