/** Google's Snappy, raw form: format_description.txt of the reference implementation. Throws a plain error. */
export function snappyDecompress(bytes: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  let at = 0;
  let written = 0;
  const read = (count: number) => {
    let value = 0;
    for (let index = 0; index < count; index++) value += byteAt(bytes, at++) * 2 ** (8 * index);
    return value;
  };
  // The length that the data begins with is what the page's header says; it is only passed over.
  while (byteAt(bytes, at++) >= 128);
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const length = (short < 60 ? short : read(short - 59)) + 1;
      if (at + length > bytes.length || written + length > size) throw new Error("a literal is cut off");
      output.set(bytes.subarray(at, at + length), written);
      at += length;
      written += length;
      continue;
    }
    const length = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = kind === 1 ? (tag >> 5) * 256 + read(1) : read(kind === 2 ? 2 : 4);
    if (offset === 0 || offset > written || written + length > size)
      throw new Error("a copy leaves its page");
    // Byte by byte: a copy may overlap what it writes.
    for (let index = 0; index < length; index++, written++) output[written] = output[written - offset]!;
  }
  if (written !== size) throw new Error("a page is shorter than it says");
  return output;
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Error("a page is cut off");
  return byte;
}
