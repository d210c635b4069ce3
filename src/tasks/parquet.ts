/**
 * Parquet files, in which most data sets of the hub lie: plain columns and lists of texts and numbers, as pyarrow
 * and the hub write them. Written here because the smallest package would be one more run-time dependency for
 * a few hundred lines. Format: github.com/apache/parquet-format.
 */
import { type Cell, type Column, mostValues, numberIn, readColumn, structIn } from "./parquet-column.js";
import type { NumberedRow } from "./rows.js";
import { ThriftReader, type ThriftStruct } from "./thrift.js";

/** The rows of a file. Throws a plain error that says what is wrong. */
export function parquetRows(file: Uint8Array): NumberedRow[] {
  const metadata = footerOf(file);
  const columns = columnsOf(structsIn(metadata, 2));
  const rows: NumberedRow[] = [];
  for (const group of structsIn(metadata, 4)) {
    const count = numberIn(group, 3);
    if (rows.length + count > mostValues) throw new Error("it has too many rows");
    const cells = new Map<string, Cell[]>();
    for (const [index, chunk] of structsIn(group, 1).entries()) {
      const shape = columns[index];
      if (shape === undefined) throw new Error("it has more columns than names");
      if (shape === null) continue;
      const column = readColumn(file, { ...shape, ...placeOf(structIn(chunk, 3)) });
      if (column.length !== count) throw new Error(`column ${shape.name} has another number of rows`);
      cells.set(shape.name, column);
    }
    for (let row = 0; row < count; row++) {
      const fields = [...cells].map(([name, column]) => [name, column[row]] as const);
      rows.push({ line: rows.length + 1, row: Object.fromEntries(fields) });
    }
  }
  return rows;
}

function footerOf(file: Uint8Array): ThriftStruct {
  const ends = [file.subarray(0, 4), file.subarray(-4)].map((bytes) => Buffer.from(bytes).toString("latin1"));
  if (file.length < 12 || ends.some((end) => end !== "PAR1")) throw new Error("it is no Parquet file");
  const size = new DataView(file.buffer, file.byteOffset + file.length - 8, 4).getUint32(0, true);
  if (size > file.length - 12) throw new Error("its footer leaves the file");
  return new ThriftReader(file.subarray(0, file.length - 8), file.length - 8 - size).readStruct();
}

type Shape = { readonly name: string } & Pick<Column, "repetition" | "definition" | "item">;

/** The columns in the order of the leaves; null for those that are neither plain nor lists, which are passed over. */
function columnsOf(schema: readonly ThriftStruct[]): (Shape | null)[] {
  const columns: (Shape | null)[] = [];
  let at = 1;
  const visit = (path: readonly ThriftStruct[]) => {
    if (path.length > 32) throw new Error("its columns are nested too deeply");
    const element = schema[at++];
    if (element === undefined) throw new Error("its list of columns is cut off");
    const children = element.has(5) ? numberIn(element, 5) : 0;
    const below = [...path, element];
    if (children === 0) columns.push(shapeOf(below));
    for (let child = 0; child < children; child++) visit(below);
  };
  const root = schema[0];
  if (root === undefined) throw new Error("it names no columns");
  for (let child = 0; child < numberIn(root, 5); child++) visit([]);
  return columns;
}

function shapeOf(path: readonly ThriftStruct[]): Shape | null {
  const kinds = path.map((element) => (element.has(3) ? numberIn(element, 3) : 0));
  const repeated = kinds.filter((kind) => kind === 2).length;
  // A list has a group, a repeated group in it, and the item; one of records has names below.
  const isList = path.length === 3 && kinds[1] === 2 && repeated === 1;
  if (path.length !== 1 && !isList) return null;
  const name = path[0]!.get(4);
  if (!(name instanceof Uint8Array)) throw new Error("a column has no name");
  const upTo = (count: number) => kinds.slice(0, count).filter((kind) => kind !== 0).length;
  return {
    name: new TextDecoder().decode(name),
    repetition: repeated,
    definition: upTo(kinds.length),
    item: upTo(2),
  };
}

function placeOf(chunk: ThriftStruct): Pick<Column, "type" | "codec" | "values" | "offset"> {
  const pages = numberIn(chunk, 9);
  const dictionary = chunk.has(11) ? numberIn(chunk, 11) : 0;
  return {
    type: numberIn(chunk, 1),
    codec: numberIn(chunk, 4),
    values: numberIn(chunk, 5),
    offset: dictionary > 0 ? Math.min(dictionary, pages) : pages,
  };
}

function structsIn(struct: ThriftStruct, field: number): ThriftStruct[] {
  const value = struct.get(field);
  if (!Array.isArray(value) || !value.every((item) => item instanceof Map)) {
    throw new Error(`field ${field} of its footer is no list`);
  }
  return value as ThriftStruct[];
}
