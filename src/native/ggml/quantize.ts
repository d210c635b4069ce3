/** Stores numbers in ggml's compact types. */
import type { Native } from "../load.js";
import { type TensorTypeName, typeCode } from "./tensor.js";

/** Rows of `width` numbers in that type's blocks. The width must be a whole number of blocks. */
export function quantizeRows(
  native: Native,
  type: TensorTypeName,
  numbers: Float32Array,
  width: number,
): Uint8Array {
  const code = typeCode(type);
  const rows = numbers.length / width;
  const bytes = new Uint8Array(rows * native.ggml_row_size(code, width));
  native.ggml_quantize_chunk(code, numbers, bytes, 0, rows, width, null);
  return bytes;
}
