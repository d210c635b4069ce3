/** The functions of libllama and ggml as typed calls; names, arguments and results come from the generated bindings. */
import koffi from "koffi";
import { functions, structs } from "./bindings.generated.js";

/** An address, typed memory, or the null pointer. */
export type Pointer = bigint | ArrayBufferView | null;
export type Struct = Record<string, unknown>;

type Integer = "int" | "int8_t" | "uint8_t" | "int32_t" | "uint32_t" | "int64_t" | "uint64_t" | "size_t";
type Argument<Type> = Type extends Integer | "float" | "double"
  ? number
  : Type extends "bool"
    ? boolean
    : Type extends "str"
      ? string | null
      : Type extends "void *"
        ? Pointer
        : Struct;
type Result<Type> = Type extends "void"
  ? undefined
  : Type extends Integer | "float" | "double"
    ? number
    : Type extends "bool"
      ? boolean
      : Type extends "str"
        ? string | null
        : Type extends "void *"
          ? bigint | null
          : Struct;
type Arguments<Types extends readonly string[]> = {
  -readonly [Index in keyof Types]: Argument<Types[Index]>;
};

export interface NativeFunction<Parameters extends readonly unknown[], Returned> {
  (...parameters: Parameters): Returned;
  /** The same call on a thread of its own; the last argument is called with the result. */
  readonly async: (...parameters: [...Parameters, (error: unknown, result: Returned) => void]) => void;
}

type Functions = typeof functions;
type FunctionsOf<Library extends keyof Functions> = {
  readonly [Name in keyof Functions[Library]]: Functions[Library][Name] extends readonly [
    infer Type,
    infer Types extends readonly string[],
  ]
    ? NativeFunction<Arguments<Types>, Result<Type>>
    : never;
};
export type NativeFunctions = FunctionsOf<"ggml-base"> & FunctionsOf<"ggml"> & FunctionsOf<"llama">;
export type LibraryName = keyof Functions;

let structsDeclared = false;

/** Tells koffi the struct layouts, once: its type names are global. */
export function declareStructs(): void {
  if (structsDeclared) return;
  for (const [name, fields] of Object.entries(structs)) {
    koffi.struct(
      name,
      Object.fromEntries(
        fields.map(([field, type, length]) => [
          field,
          length === undefined ? type : koffi.array(type, length),
        ]),
      ),
    );
  }
  structsDeclared = true;
}

/** The functions of one library. Throws (koffi's own error) where an export is missing. */
export function bindFunctions<Library extends LibraryName>(
  name: Library,
  library: { func(name: string, result: string, parameters: string[]): unknown },
): FunctionsOf<Library> {
  const bound = Object.entries(functions[name] as Record<string, readonly [string, readonly string[]]>).map(
    ([symbol, [result, parameters]]) => [symbol, library.func(symbol, result, [...parameters])],
  );
  return Object.fromEntries(bound) as FunctionsOf<Library>;
}

/** Awaits a call on a thread of its own, so that the event loop stays free meanwhile. */
export function offThread<Parameters extends readonly unknown[], Returned>(
  call: NativeFunction<Parameters, Returned>,
  ...parameters: Parameters
): Promise<Returned> {
  return new Promise((resolve, reject) => {
    call.async(...parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });
}
