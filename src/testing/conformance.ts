/**
 * What every method must do, as cases that any test runner can run:
 * `for (const { name, run } of conformance(method)) test(name, run)`. A case may be skipped, for a reason in words.
 */
import type { Method } from "../core/method.js";
import { conformanceCases } from "./conformance-cases.js";
import { MethodBench } from "./method-bench.js";

export interface ConformanceOptions {
  /** The method's options in every case. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Skipped cases by number, each with its reason. */
  readonly skip?: Readonly<Record<number, string>>;
}

export interface ConformanceCase {
  readonly name: string;
  /** Why the case is skipped, if it is. */
  readonly skipped?: string;
  run(): Promise<void>;
}

/** The nine cases for a method. */
export function conformance(
  method: Method,
  { options = {}, skip = {} }: ConformanceOptions = {},
): ConformanceCase[] {
  const bench = new MethodBench(method, options);
  return conformanceCases.map(([name, run], index) => {
    const skipped = skip[index + 1];
    return { name: `${index + 1}. ${name}`, ...(skipped && { skipped }), run: () => run(bench) };
  });
}
