/** Large pages for memory that is read from end to end at every token: fewer address translations. Linux only. */
import koffi from "koffi";
import type { Native } from "../load.js";
import type { TensorBuffer } from "./tensor-context.js";

/** Linux's MADV_HUGEPAGE. */
const hugePageAdvice = 14;
/** madvise wants whole pages; a large page never begins inside one of these. */
const alignment = 65_536n;

/** Asks for large pages, before the memory is first written. A wish: where it cannot be had nothing changes. */
export function preferHugePages(native: Native, buffer: TensorBuffer): void {
  if (process.platform !== "linux") return;
  const base = native.ggml_backend_buffer_get_base(buffer.handle);
  if (base === null) return;
  const start = ((base + alignment - 1n) / alignment) * alignment;
  const end = ((base + BigInt(native.ggml_backend_buffer_get_size(buffer.handle))) / alignment) * alignment;
  if (end <= start) return;
  const symbols = koffi.load(null);
  const advise = symbols.func("madvise", "int", ["void *", "size_t", "int"]);
  advise(start, Number(end - start), hugePageAdvice);
}
