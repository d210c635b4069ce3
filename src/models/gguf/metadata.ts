import { invalidModel, shown } from "./header-reader.js";
import type { MetadataValue } from "./read.js";

/** Typed access to a header's metadata: a key of another type than asked for is an error, an absent one is undefined. */
export class Metadata implements Iterable<[string, MetadataValue]> {
  constructor(
    readonly values: ReadonlyMap<string, MetadataValue>,
    readonly name: string,
  ) {}

  [Symbol.iterator](): Iterator<[string, MetadataValue]> {
    return this.values[Symbol.iterator]();
  }

  text(key: string): string | undefined {
    const entry = this.values.get(key);
    if (entry === undefined) return undefined;
    if (entry.type !== "string") throw this.#wrong(key, "text", entry.type);
    if (entry.value === null) throw invalidModel(this.name, `its ${shown(key)} is ${entry.bytes} bytes long`);
    return entry.value;
  }

  flag(key: string): boolean | undefined {
    const entry = this.values.get(key);
    if (entry === undefined) return undefined;
    if (entry.type !== "bool") throw this.#wrong(key, "true or false", entry.type);
    return entry.value;
  }

  integer(key: string): number | undefined {
    const entry = this.values.get(key);
    if (entry === undefined) return undefined;
    if (!("value" in entry) || typeof entry.value !== "number" || !Number.isInteger(entry.value)) {
      throw this.#wrong(key, "an integer", entry.type);
    }
    return entry.value;
  }

  number(key: string): number | undefined {
    const entry = this.values.get(key);
    if (entry === undefined) return undefined;
    if (!("value" in entry) || typeof entry.value !== "number")
      throw this.#wrong(key, "a number", entry.type);
    return entry.value;
  }

  /** An integer that must be there and in range. */
  bounded(key: string, least: number, most: number): number {
    const value = this.integer(key);
    if (value === undefined) throw invalidModel(this.name, `it lacks ${shown(key)}`);
    if (value < least || value > most) {
      throw invalidModel(this.name, `its ${shown(key)} is ${value}, not from ${least} to ${most}`);
    }
    return value;
  }

  /** An integer given once for all layers or as an array with one per layer. */
  perLayer(key: string, layers: number): readonly number[] | undefined {
    const entry = this.values.get(key);
    if (entry?.type !== "array") {
      const value = this.integer(key);
      return value === undefined ? undefined : new Array<number>(layers).fill(value);
    }
    if (entry.values === null || entry.count < layers) {
      throw invalidModel(this.name, `its ${shown(key)} has ${entry.count} values for ${layers} layers`);
    }
    return entry.values.slice(0, layers);
  }

  /** The greatest of an integer or of an array of them. */
  largest(key: string): number | undefined {
    const entry = this.values.get(key);
    if (entry?.type !== "array") return this.integer(key);
    return entry.values === null ? undefined : Math.max(0, ...entry.values);
  }

  #wrong(key: string, wanted: string, found: string) {
    return invalidModel(this.name, `its ${shown(key)} is of type ${found}, where ${wanted} is expected`);
  }
}
