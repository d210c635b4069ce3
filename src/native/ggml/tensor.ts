/** A tensor of ggml: the address of its struct. Shapes are ggml's: the length of a row first. */
import koffi from "koffi";
import { StepwrightError } from "../../core/errors.js";
import { enums, layouts } from "../bindings.generated.js";

type WithoutPrefix<Name> = Name extends `GGML_TYPE_${infer Rest}` ? Rest : never;
/** How a tensor's numbers are stored, by GGUF's names: `F32`, `F16`, `Q4_K`, `I32`, ... */
export type TensorTypeName = Exclude<WithoutPrefix<keyof typeof enums.ggml_type>, "COUNT">;
export type Shape = readonly [number, number, number, number];

const { size: structSize, offsets } = layouts.ggml_tensor!;

/** ggml's code of a storage type. Throws `model-invalid` for a type that this ggml does not know. */
export function typeCode(name: string): number {
  const code = (enums.ggml_type as Record<string, number>)[`GGML_TYPE_${name}`];
  if (code === undefined) throw new StepwrightError("model-invalid", `ggml has no tensor type "${name}"`);
  return code;
}

export class Tensor {
  /** Of the `ggml_tensor` struct. */
  readonly address: bigint;
  #struct: DataView | undefined;
  #shape: Shape | undefined;

  constructor(address: bigint) {
    this.address = address;
  }

  /** Lengths of the four dimensions, those not used are 1. */
  get shape(): Shape {
    this.#shape ??= [0, 1, 2, 3].map((axis) =>
      Number(this.#view().getBigInt64(offsets.ne! + 8 * axis, true)),
    ) as unknown as Shape;
    return this.#shape;
  }

  /** Bytes from one element of a dimension to the next. */
  stride(axis: 0 | 1 | 2 | 3): number {
    return Number(this.#view().getBigUint64(offsets.nb! + 8 * axis, true));
  }

  /** ggml's code of the storage type. */
  get type(): number {
    return this.#view().getInt32(offsets.type!, true);
  }

  get elements(): number {
    return this.shape.reduce((product, length) => product * length, 1);
  }

  /** Where its numbers are; 0 before it is allocated. */
  get data(): bigint {
    return this.#view().getBigUint64(offsets.data!, true);
  }

  /** Its buffer's handle; 0 before it is allocated. For asking a device what it could do with it. */
  set buffer(handle: bigint) {
    this.#view().setBigUint64(offsets.buffer!, handle, true);
  }

  /** The numbers of a contiguous F32 tensor in place, valid as long as its memory. */
  floats(): Float32Array {
    return new Float32Array(this.#memory(4));
  }

  /** The numbers of a contiguous I32 tensor in place. */
  integers(): Int32Array {
    return new Int32Array(this.#memory(4));
  }

  /** The numbers of a contiguous F16 tensor in place, as their bit patterns. */
  halves(): Uint16Array {
    return new Uint16Array(this.#memory(2));
  }

  /** So many bytes of its memory in place, whatever is stored there. */
  bytes(length: number): Uint8Array {
    return new Uint8Array(koffi.view(this.#allocated(), length));
  }

  #memory(elementBytes: number): ArrayBuffer {
    return koffi.view(this.#allocated(), this.elements * elementBytes);
  }

  #allocated(): bigint {
    const { data } = this;
    if (data === 0n) throw new StepwrightError("internal", "a tensor was read before it had memory");
    return data;
  }

  #view(): DataView {
    this.#struct ??= new DataView(koffi.view(this.address, structSize));
    return this.#struct;
  }
}
