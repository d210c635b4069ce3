/** Named things, loaded when asked for; an unknown name is answered with the nearest known one. */
import { StepwrightError } from "./errors.js";

export interface Registry<Entry> {
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Throws `unknown-name` with a suggestion. */
  get(name: string): Promise<Entry>;
  all(): Promise<Entry[]>;
}

/** `what` names the kind of thing in messages ("method"). Each value imports lazily: `() => import("./rsd.js")`. */
export function createRegistry<Entry>(
  what: string,
  loaders: Readonly<Record<string, () => Promise<{ default: Entry }>>>,
): Registry<Entry> {
  const names = Object.keys(loaders);
  const has = (name: string) => Object.hasOwn(loaders, name);
  const get = async (name: string) => {
    if (!has(name)) throw unknownName(what, name, names);
    return (await loaders[name]!()).default;
  };
  return { names, has, get, all: () => Promise.all(names.map(get)) };
}

export function unknownName(what: string, name: string, names: readonly string[]): StepwrightError {
  const near = nearest(name, names);
  return new StepwrightError("unknown-name", `unknown ${what} "${name}"`, {
    subject: what,
    remedy: near ? `did you mean "${near}"?` : `known: ${names.join(", ")}`,
  });
}

/** The closest name by edit distance, if it is close enough to be meant. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, substitutions, swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let distance = Math.min(row[j - 1]! + 1, last[j]! + 1, substituted);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, beforeLast[j - 2]! + 1);
      }
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
