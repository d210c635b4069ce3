/** Matrices as rows of entries. */

const begin = "\\begin{pmatrix}";
const end = "\\end{pmatrix}";

/** The rows of a normalised matrix; a T above it swaps rows and columns. Undefined if the text is no matrix. */
export function matrixRows(text: string): readonly (readonly string[])[] | undefined {
  if (!text.startsWith(begin)) return undefined;
  const stop = text.indexOf(end);
  if (stop < 0) return undefined;
  const mark = text.slice(stop + end.length);
  const transposed = /^\^(?:T|\{T\}|\\top|\{\\top\})$/.test(mark);
  if (mark !== "" && !transposed) return undefined;
  const rows = text
    .slice(begin.length, stop)
    .split("\\\\")
    .map((row) => row.trim())
    .filter((row) => row !== "")
    .map((row) => row.split("&").map((entry) => entry.trim()));
  if (!transposed) return rows;
  const width = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: width }, (_, column) => rows.map((row) => row[column] ?? ""));
}
