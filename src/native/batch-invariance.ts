/**
 * Whether a token's numbers depend on what else is in its batch. On a CPU they do not under four conditions:
 * - weights are not repacked: the repacked kernels compute four rows and more in another order than one;
 * - a decode has at most 63 tokens: attention over 64 and more goes by tiles;
 * - streams are separate: in a unified cache a rollback leaves holes that others fill, so that cells, and with
 *   them the sums of attention, get out of order;
 * - there is one compute thread: several divide a single token's attention by the length of the cache.
 * llama.cpp promises none of this, and kernels for other weight types or a GPU differ: so it is checked on the
 * loaded model, on this machine.
 */
import type { BatchToken, NativeModel } from "./native-model.js";

/** Greatest number of tokens in a decode that are still computed one by one. */
export const invariantBatchTokens = 63;

/** Tokens of the passage that is read in three ways. */
const passageLength = 24;

/**
 * Reads one passage token by token and, the bits compared, as a whole in a batch filled up with another
 * sequence, and in pieces beside single tokens. Takes about as long as 60 decodes; needs an empty cache with
 * 3 sequences and 160 cells, and leaves it empty.
 */
export async function isBatchInvariant(model: NativeModel): Promise<boolean> {
  const { vocabularySize, batchTokens } = model.info;
  const tokens = Array.from(
    { length: passageLength },
    (_, index) => (index * 7919 + 104_729) % vocabularySize,
  );
  const passage = (sequence: number, from: number, to: number): BatchToken[] =>
    tokens.slice(from, to).map((token, index) => ({
      token,
      position: from + index,
      sequences: [sequence],
      output: sequence === 0,
    }));
  const read = async (batch: readonly BatchToken[]): Promise<Float32Array[] | null> => {
    if ((await model.decode(batch)) !== 0) return null;
    const outputs = batch.filter(({ output }) => output).length;
    return model
      .readRows(
        Array.from({ length: outputs }, (_, output) => ({
          output,
          draw: null,
          topK: 0,
          tokens: [],
          row: true,
        })),
      )
      .map(({ row }) => row!);
  };
  const readAll = async (batches: readonly (readonly BatchToken[])[]): Promise<Float32Array[] | null> => {
    const rows: Float32Array[] = [];
    for (const batch of batches) {
      const some = await read(batch);
      if (some === null) return null;
      rows.push(...some);
    }
    for (let sequence = 0; sequence < 3; sequence++) model.removeCells(sequence, 0, -1);
    return rows;
  };

  const room = Math.min(batchTokens, invariantBatchTokens) - passageLength;
  if (room < 1) return true;
  const alone = await readAll(tokens.map((_, index) => passage(0, index, index + 1)));
  const filled = await readAll([
    [...passage(1, 0, Math.min(room, passageLength)), ...passage(0, 0, passageLength)],
  ]);
  const pieces = await readAll(
    [0, 5, 6, 13].map((from, index, starts) => [
      ...passage(1, index, index + 1),
      ...passage(0, from, starts[index + 1] ?? passageLength),
      ...passage(2, index, index + 1),
    ]),
  );
  return alone !== null && sameBits(alone, filled) && sameBits(alone, pieces);
}

function sameBits(left: readonly Float32Array[], right: readonly Float32Array[] | null): boolean {
  return left.every((row, index) => {
    const other = right?.[index];
    return other !== undefined && Buffer.from(row.buffer).equals(Buffer.from(other.buffer));
  });
}
