/**
 * `rsd,rsd:threshold=0.5..0.9/0.1;weight=step|clip,target`: the methods of a bench, each with its options, and with
 * `reward=REFERENCE` a reward of its own in place of the bench's.
 */
import { StepwrightError } from "../core/errors.js";
import type { Method } from "../core/method.js";
import { typedOptions } from "../core/option-text.js";
import type { Registry } from "../core/registry.js";
import { parseOptions } from "../core/run-request.js";

/** One row of the bench: a method with all its options settled. */
export interface BenchEntry {
  /** The method's name and the options that were given, such as "rsd:threshold=0.8"; unique in a bench. */
  readonly label: string;
  readonly method: Method;
  readonly options: Readonly<Record<string, unknown>>;
  /** Its own reward's reference; absent for the bench's. */
  readonly reward?: string;
}

/** More rows than anyone reads; a sweep with a tiny step must not fill the memory. */
const mostEntries = 1000;

/** Throws `unknown-name` or `invalid-option` before any model is touched. */
export async function parseMethodList(text: string, methods: Registry<Method>): Promise<BenchEntry[]> {
  const entries: BenchEntry[] = [];
  for (const item of text.split(",")) {
    const [name = "", ...rest] = item.trim().split(":");
    const method = await methods.get(name.trim());
    const given = rest.join(":").trim();
    for (const choice of combinations(given === "" ? [] : given.split(";").map(parseOption))) {
      entries.push(entryOf(method, choice));
      if (entries.length > mostEntries) throw invalid(`it asks for more than ${mostEntries} methods`);
    }
  }
  const seen = new Map<string, string>();
  for (const { label, method, options, reward } of entries) {
    const key = `${method.name} ${JSON.stringify([options, reward])}`;
    const other = seen.get(key);
    if (other !== undefined) throw invalid(`"${label}" and "${other}" are the same`);
    seen.set(key, label);
  }
  return entries;
}

interface OptionValues {
  readonly name: string;
  readonly values: readonly string[];
}

function parseOption(text: string): OptionValues {
  const equals = text.indexOf("=");
  const name = text.slice(0, equals).trim();
  const values = text
    .slice(equals + 1)
    .split("|")
    .flatMap((value) => spread(value.trim()));
  if (equals < 1 || values.includes("")) throw invalid(`"${text}" is not option=value`);
  return { name, values };
}

const rangePattern = /^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/;

/** "0.5..0.9/0.1" is 0.5, 0.6, 0.7, 0.8, 0.9: both ends belong to it. Anything else stands for itself. */
function spread(text: string): string[] {
  const match = rangePattern.exec(text);
  if (!match) return [text];
  const [first, last, step] = match.slice(1).map(Number) as [number, number, number];
  if (step === 0 || last < first) throw invalid(`the sweep "${text}" goes nowhere`);
  // Half a step of patience: 0.5 + 4 x 0.1 is not 0.9 to the last bit.
  const count = Math.floor((last - first) / step + 1e-6) + 1;
  if (count > mostEntries) throw invalid(`the sweep "${text}" has more than ${mostEntries} values`);
  const digits = Math.max(...match.slice(1).map((part) => part.split(".")[1]?.length ?? 0));
  return Array.from({ length: count }, (_, index) => String(Number((first + index * step).toFixed(digits))));
}

function combinations(options: readonly OptionValues[]): [name: string, value: string][][] {
  let found: [string, string][][] = [[]];
  for (const { name, values } of options) {
    if (found.length * values.length > mostEntries)
      throw invalid(`it asks for more than ${mostEntries} methods`);
    found = found.flatMap((chosen) => values.map((value) => [...chosen, [name, value] as [string, string]]));
  }
  return found;
}

function entryOf(method: Method, chosen: readonly (readonly [string, string])[]): BenchEntry {
  const names = chosen.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`option "${twice}" of ${method.name} is given twice`);
  // A method may have an option of that name; then the word is the method's.
  const isReward = ([name]: readonly [string, string]) =>
    name === "reward" && method.needs.reward === true && !Object.hasOwn(method.schema.shape, name);
  const reward = chosen.find(isReward)?.[1];
  const given = typedOptions(method, Object.fromEntries(chosen.filter((option) => !isReward(option))));
  const listed = chosen.map(([name, value]) => `${name}=${value}`).join(";");
  const options = parseOptions(method, given);
  const label = listed === "" ? method.name : `${method.name}:${listed}`;
  return { label, method, options, ...(reward !== undefined && { reward }) };
}

function invalid(problem: string): StepwrightError {
  return new StepwrightError("invalid-option", `--method: ${problem}`, {
    subject: "--method",
    remedy:
      'write "draft,target,rsd:threshold=0.7" or a sweep, "rsd:threshold=0.5..0.9/0.1;weight=step|clip"',
  });
}
