/** A method spends compute. It is pure: it asks a `Search`, and never sees HTTP, files, models or the console. */
import type { z } from "zod";
import type { Capability } from "./model.js";
import type { Outcome, Search } from "./search.js";

/** What a method asks of each role; a role that is absent is not needed. */
export interface Needs {
  readonly draft?: readonly Capability[];
  readonly target?: readonly Capability[];
  readonly reward?: true;
}

export interface Method<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** One line: what it does. */
  readonly essence: string;
  readonly kind: "plain" | "step" | "token" | "search" | "training";
  /** Paper and section, or card. */
  readonly source: string;
  readonly needs: Needs;
  /** When what it commits is its answer: at once (the default), or at its end only, because it may answer elsewhere. */
  readonly settles?: "steps" | "end";
  /** One line for the docs: what an answer costs, by the options. */
  readonly cost?: string;
  /** One line for the docs: when it is the right one. */
  readonly use?: string;
  /**
   * Every field has a default and a description; five surfaces are derived from it. A number that so many answers are
   * written for one says so: `.meta({ width: true })`.
   */
  readonly schema: Schema;
  /** True if these options leave a threshold to the reward's advice: a run with a reward that gives none is refused. */
  asksAdvice?(options: z.output<Schema>): boolean;
  run(search: Search, options: z.output<Schema>): Promise<Outcome>;
}

/** Types a method's options from its schema. */
export function defineMethod<Schema extends z.ZodObject>(method: Method<Schema>): Method<Schema> {
  return method;
}
