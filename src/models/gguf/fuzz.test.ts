import { expect, it } from "vitest";
import { StepwrightError } from "../../core/errors.js";
import { keyedBits } from "../../core/random.js";
import { encodeTinyModel } from "../../testing/tiny-model.js";
import { checkHeader } from "./check.js";
import { readHeader } from "./read.js";
import { bytesSource } from "./source.js";

const mutations = 20_000;

/** Values that break careless arithmetic. */
const nasty = [
  0n,
  1n,
  2n,
  9n,
  255n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 40n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

it(`answers or refuses ${mutations} mutated files, reading no more than they hold`, async () => {
  const valid = encodeTinyModel();
  const { dataOffset } = await readHeader(bytesSource(valid));
  let accepted = 0;
  let refused = 0;
  for (let index = 0; index < mutations; index++) {
    const bytes = mutate(valid, dataOffset, index);
    let read = 0;
    const source = bytesSource(bytes);
    const counted = {
      ...source,
      read: (position: number, length: number) => {
        read += Math.min(length, bytes.length - position);
        return source.read(position, length);
      },
    };
    try {
      const header = await readHeader(counted);
      checkHeader(header, "fuzz.gguf");
      accepted += 1;
      for (const { offset, bytes: size } of header.tensors) {
        if (offset + size > bytes.length)
          throw new Error(`mutation ${index}: a tensor outside the file was accepted`);
      }
    } catch (error) {
      if (!StepwrightError.is(error, "model-invalid")) throw new Error(`mutation ${index}`, { cause: error });
      refused += 1;
    }
    // The buffer is refilled only where the header moves on, so reading stays near the size of the file.
    if (read > 4 * valid.length) throw new Error(`mutation ${index} made the reader read ${read} bytes`);
  }
  expect(accepted + refused).toBe(mutations);
  expect(refused).toBeGreaterThan(mutations / 4);
  expect(accepted).toBeGreaterThan(0);
}, 120_000);

/** One to four edits in the header: a bit, a byte, a nasty number, a cut, or a piece moved. */
function mutate(valid: Uint8Array, headerLength: number, index: number): Uint8Array {
  let bytes = valid.slice();
  const random = (bound: number, purpose: string) => keyedBits(1, `mutation ${index}`, 0, purpose) % bound;
  const edits = 1 + random(4, "edits");
  for (let edit = 0; edit < edits; edit++) {
    const at = random(Math.min(headerLength, bytes.length - 16), `at ${edit}`);
    const view = new DataView(bytes.buffer);
    switch (random(5, `kind ${edit}`)) {
      case 0:
        bytes[at]! ^= 1 << random(8, `bit ${edit}`);
        break;
      case 1:
        bytes[at] = random(256, `byte ${edit}`);
        break;
      case 2:
        view.setBigUint64(at, nasty[random(nasty.length, `nasty ${edit}`)]!, true);
        break;
      case 3:
        if (random(8, `cut ${edit}`) === 0) bytes = bytes.slice(0, at + 16);
        else view.setUint32(at, Number(nasty[random(8, `word ${edit}`)]!), true);
        break;
      case 4:
        bytes.copyWithin(at, random(headerLength, `from ${edit}`), random(headerLength, `to ${edit}`));
        break;
    }
  }
  return bytes;
}
