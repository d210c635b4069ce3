/** One column of a row group: its pages, taken apart and put together as one value or one list for each row. */
import { gunzipSync } from "node:zlib";
import { type ParquetValue, physicalTypes, readHybrid, readPlain } from "./parquet-values.js";
import { snappyDecompress } from "./snappy.js";
import { ThriftReader, type ThriftStruct } from "./thrift.js";

export interface Column {
  readonly type: number;
  readonly codec: number;
  readonly values: number;
  /** Where its pages begin in the file. */
  readonly offset: number;
  /** Greatest repetition level: 1 for a list, 0 for a plain column. */
  readonly repetition: number;
  /** Greatest definition level: that of a value which is there. */
  readonly definition: number;
  /** The definition level from which on a list has an item. */
  readonly item: number;
}

export type Cell = ParquetValue | readonly ParquetValue[];

/** A page of a test set has a megabyte or so. */
const largestPage = 256 * 2 ** 20;

/** A header's count is only believed up to here: it is what memory is taken for. */
export const mostValues = 2 ** 24;

export function readColumn(file: Uint8Array, column: Column): Cell[] {
  if (column.values > mostValues) throw new Error("a column has too many values");
  const cells: (ParquetValue | ParquetValue[])[] = [];
  let dictionary: ParquetValue[] = [];
  let at = column.offset;
  for (let done = 0; done < column.values; ) {
    const reader = new ThriftReader(file, at);
    const header = reader.readStruct();
    const size = numberIn(header, 3);
    at = reader.position + size;
    if (at > file.length) throw new Error("a page leaves the file");
    const page = file.subarray(reader.position, at);
    const kind = numberIn(header, 1);
    if (kind === 2) {
      const count = numberIn(structIn(header, 7), 1);
      dictionary = readPlain(decompress(page, column.codec, numberIn(header, 2)), column.type, count);
    } else if (kind === 0 || kind === 3) {
      const form = kind === 0 ? firstForm : secondForm;
      const data = form(page, header, column, column.values - done);
      done += addPage(cells, data, column, dictionary);
    }
  }
  return cells;
}

/** The count of a page's values, which cannot be more than the column has left. */
function countIn(details: ThriftStruct, left: number): number {
  const count = numberIn(details, 1);
  if (count > left) throw new Error("a page has more values than its column");
  return count;
}

interface DataPage {
  readonly count: number;
  readonly encoding: number;
  readonly repetitions: readonly number[] | null;
  readonly definitions: readonly number[] | null;
  readonly values: Uint8Array;
}

/** Levels stand before the values, each with its length, all compressed together. */
function firstForm(page: Uint8Array, header: ThriftStruct, column: Column, left: number): DataPage {
  const details = structIn(header, 5);
  const count = countIn(details, left);
  let rest = decompress(page, column.codec, numberIn(header, 2));
  const levels = (greatest: number) => {
    if (greatest === 0) return null;
    const length = new DataView(rest.buffer, rest.byteOffset, rest.byteLength).getUint32(0, true);
    const read = readHybrid(rest.subarray(4, 4 + length), widthOf(greatest), count);
    rest = rest.subarray(4 + length);
    return read;
  };
  const repetitions = levels(column.repetition);
  const definitions = levels(column.definition);
  return { count, encoding: numberIn(details, 2), repetitions, definitions, values: rest };
}

/** Levels stand before the values, uncompressed, their lengths in the header. */
function secondForm(page: Uint8Array, header: ThriftStruct, column: Column, left: number): DataPage {
  const details = structIn(header, 8);
  const count = countIn(details, left);
  const repetitionBytes = numberIn(details, 6);
  const levelBytes = repetitionBytes + numberIn(details, 5);
  const levels = (greatest: number, start: number, end: number) =>
    greatest === 0 ? null : readHybrid(page.subarray(start, end), widthOf(greatest), count);
  const isCompressed = details.get(7) !== false;
  const rest = page.subarray(levelBytes);
  return {
    count,
    encoding: numberIn(details, 4),
    repetitions: levels(column.repetition, 0, repetitionBytes),
    definitions: levels(column.definition, repetitionBytes, levelBytes),
    values: isCompressed ? decompress(rest, column.codec, numberIn(header, 2) - levelBytes) : rest,
  };
}

/** Adds a page's cells; gives the number of levels that it held. */
function addPage(
  cells: (ParquetValue | ParquetValue[])[],
  { count, encoding, repetitions, definitions, values }: DataPage,
  column: Column,
  dictionary: readonly ParquetValue[],
): number {
  const present = definitions?.filter((level) => level === column.definition).length ?? count;
  const read = readValues(values, encoding, column.type, present, dictionary);
  let next = 0;
  for (let index = 0; index < count; index++) {
    const level = definitions?.[index] ?? column.definition;
    const value = level === column.definition ? read[next++]! : null;
    if (column.repetition === 0) cells.push(value);
    else {
      if (repetitions![index] === 0) cells.push([]);
      const list = cells.at(-1);
      if (!Array.isArray(list)) throw new Error("a list begins in its middle");
      if (level >= column.item) list.push(value);
    }
  }
  return count;
}

function readValues(
  bytes: Uint8Array,
  encoding: number,
  type: number,
  count: number,
  dictionary: readonly ParquetValue[],
): ParquetValue[] {
  if (encoding === 0) return readPlain(bytes, type, count);
  // Truth values as runs, their length before them.
  if (encoding === 3 && type === physicalTypes.boolean) {
    return readHybrid(bytes.subarray(4), 1, count).map((bit) => bit === 1);
  }
  if (encoding !== 2 && encoding !== 8) {
    throw new Error(`it is encoded in a way (${encoding}) that stepwright does not read`);
  }
  if (count === 0) return [];
  return readHybrid(bytes.subarray(1), bytes[0] ?? 0, count).map((index) => {
    const value = dictionary[index];
    if (value === undefined) throw new Error("a value is not in its dictionary");
    return value;
  });
}

function decompress(bytes: Uint8Array, codec: number, size: number): Uint8Array {
  if (size > largestPage) throw new Error("a page is too large");
  if (size === 0) return new Uint8Array();
  switch (codec) {
    case 0:
      return bytes;
    case 1:
      return snappyDecompress(bytes, size);
    case 2:
      return gunzipSync(bytes, { maxOutputLength: size });
    default:
      throw new Error(`it is compressed in a way (${codec}) that stepwright does not read`);
  }
}

function widthOf(greatest: number): number {
  return 32 - Math.clz32(greatest);
}

export function numberIn(struct: ThriftStruct, field: number): number {
  const value = struct.get(field);
  if (typeof value === "number" && value >= 0) return value;
  throw new Error(`field ${field} of a header is no count`);
}

export function structIn(struct: ThriftStruct, field: number): ThriftStruct {
  const value = struct.get(field);
  if (value instanceof Map) return value;
  throw new Error(`field ${field} of a header is missing`);
}
