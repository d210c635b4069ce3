/**
 * The GGUF file format, version 3 (and 2, which differs in nothing we read): names, codes and sizes.
 * Source: ggml's gguf.h, ggml.h and ggml-common.h as shipped with llama.cpp v0.5.0.
 */

export const magic = "GGUF";
export const newestVersion = 3;
export const oldestVersion = 2;
export const defaultAlignment = 32;
/** ggml keeps a tensor's name in 64 bytes with a closing zero. */
export const longestTensorName = 63;
export const mostDimensions = 4;

/** Codes of metadata values in the file. */
export const valueCodes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

export type ValueType = keyof typeof valueCodes;
export type ElementType = Exclude<ValueType, "array">;
export type NumberType = Exclude<ElementType, "bool" | "string">;

const typesByCode = new Map<number, ValueType>(
  Object.entries(valueCodes).map(([name, code]) => [code, name as ValueType]),
);

export function valueTypeOf(code: number): ValueType | undefined {
  return typesByCode.get(code);
}

/** Bytes of one value of fixed length. */
export const valueBytes: Readonly<Record<Exclude<ElementType, "string">, number>> = {
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  float32: 4,
  bool: 1,
  uint64: 8,
  int64: 8,
  float64: 8,
};

/** How a tensor's numbers are stored: so many elements share a block of so many bytes. */
export interface TensorType {
  readonly name: string;
  readonly code: number;
  readonly blockElements: number;
  readonly blockBytes: number;
}

const tensorTypeTable: readonly (readonly [
  code: number,
  name: string,
  blockElements: number,
  blockBytes: number,
])[] = [
  [0, "F32", 1, 4],
  [1, "F16", 1, 2],
  [2, "Q4_0", 32, 18],
  [3, "Q4_1", 32, 20],
  [6, "Q5_0", 32, 22],
  [7, "Q5_1", 32, 24],
  [8, "Q8_0", 32, 34],
  [9, "Q8_1", 32, 36],
  [10, "Q2_K", 256, 84],
  [11, "Q3_K", 256, 110],
  [12, "Q4_K", 256, 144],
  [13, "Q5_K", 256, 176],
  [14, "Q6_K", 256, 210],
  [15, "Q8_K", 256, 292],
  [16, "IQ2_XXS", 256, 66],
  [17, "IQ2_XS", 256, 74],
  [18, "IQ3_XXS", 256, 98],
  [19, "IQ1_S", 256, 50],
  [20, "IQ4_NL", 32, 18],
  [21, "IQ3_S", 256, 110],
  [22, "IQ2_S", 256, 82],
  [23, "IQ4_XS", 256, 136],
  [24, "I8", 1, 1],
  [25, "I16", 1, 2],
  [26, "I32", 1, 4],
  [27, "I64", 1, 8],
  [28, "F64", 1, 8],
  [29, "IQ1_M", 256, 56],
  [30, "BF16", 1, 2],
  [34, "TQ1_0", 256, 54],
  [35, "TQ2_0", 256, 66],
  [39, "MXFP4", 32, 17],
  [40, "NVFP4", 64, 36],
  [41, "Q1_0", 128, 18],
  [42, "Q2_0", 64, 18],
];

const tensorTypes: readonly TensorType[] = tensorTypeTable.map(([code, name, blockElements, blockBytes]) => ({
  code,
  name,
  blockElements,
  blockBytes,
}));

export function tensorTypeOf(code: number): TensorType | undefined {
  return tensorTypes.find((type) => type.code === code);
}

export function tensorTypeNamed(name: string): TensorType | undefined {
  return tensorTypes.find((type) => type.name === name);
}

export function alignUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}
