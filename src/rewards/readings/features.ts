/** The inputs of a head, by name: numbers read off a step's readings, the same in training and in scoring. */
import { StepwrightError } from "../../core/errors.js";
import type { StepStates } from "../../core/step.js";
import type { TokenFigures } from "../certainty.js";
import { lowestLogprob, type StepStatistic, stepStatistics } from "../step-statistics.js";
import { type ReaderRole, type ReadingNeeds, readerRoles, type StepReadings } from "./readings.js";

/** Those statistics that take nothing but the tokens' log-probabilities, so any reader gives them. */
const likelihoodStatistics = ["doubt", "least", "mean", "sum"] as const satisfies readonly StepStatistic[];
const gaps = ["mean", "sum"] as const satisfies readonly StepStatistic[];
/** Of all tokens that the draft wrote before the step, as if they were one. */
const chainStatistics = ["doubt", "sum", "mean", "mean-entropy"] as const satisfies readonly StepStatistic[];
const statePlaces = ["least", "mean", "end"] as const satisfies readonly (keyof StepStates)[];

const needsEntropies: readonly StepStatistic[] = ["entropy", "mean-entropy", "second-entropy"];

/** Log-odds of a judge beyond this say no more than that it is sure. */
const surest = 10;

export type FeatureName =
  | `statistic:${StepStatistic}`
  | `chain:${(typeof chainStatistics)[number]}`
  | "place:index"
  | "place:ends"
  | `likelihood:${ReaderRole}:${(typeof likelihoodStatistics)[number]}`
  | `likelihood:${ReaderRole}:typical`
  | `gap:${ReaderRole}:${(typeof gaps)[number]}`
  | `judge:${ReaderRole}`
  | `state:${ReaderRole}:${(typeof statePlaces)[number]}`;

interface Feature {
  /** Which reading of which model it needs; absent where the step has it. */
  readonly reads?: { readonly what: keyof ReadingNeeds; readonly role: ReaderRole };
  read(readings: StepReadings): number | Float32Array;
}

const features: ReadonlyMap<string, Feature> = new Map([
  ...(Object.keys(stepStatistics) as StepStatistic[]).map((name): [FeatureName, Feature] => [
    `statistic:${name}`,
    { read: (readings) => stepStatistics[name](figures(readings, needsEntropies.includes(name))) },
  ]),
  ...chainStatistics.map((name): [FeatureName, Feature] => [
    `chain:${name}`,
    { read: ({ earlier }) => stepStatistics[name](joined(earlier)) },
  ]),
  ["place:index", { read: ({ index }) => Math.log1p(index) }],
  ["place:ends", { read: ({ step }) => (step.stop === "end" ? 1 : 0) }],
  ...readerRoles.flatMap((role) => featuresReading(role)),
]);

function featuresReading(role: ReaderRole): [FeatureName, Feature][] {
  const underRole = ({ likelihoods, step }: StepReadings) => ({
    logprobs: perToken(likelihoods[role], step, `${role}'s log-probabilities`),
    entropies: [],
  });
  return [
    ...likelihoodStatistics.map((name): [FeatureName, Feature] => [
      `likelihood:${role}:${name}`,
      {
        reads: { what: "likelihoods", role },
        read: (readings) => stepStatistics[name](underRole(readings)),
      },
    ]),
    [
      `likelihood:${role}:typical`,
      {
        reads: { what: "typicals", role },
        read: ({ typicals }) =>
          Math.max(lowestLogprob, told(typicals[role], `how typical the step is of the ${role}`)),
      },
    ],
    ...gaps.map((name): [FeatureName, Feature] => [
      `gap:${role}:${name}`,
      {
        reads: { what: "likelihoods", role },
        read: (readings) =>
          stepStatistics[name](underRole(readings)) - stepStatistics[name](figures(readings, false)),
      },
    ]),
    [
      `judge:${role}`,
      {
        reads: { what: "judges", role },
        read: ({ judges }) => {
          const yes = told(judges[role], `${role}'s judgement`);
          return Math.max(-surest, Math.min(surest, Math.log(yes) - Math.log1p(-yes)));
        },
      },
    ],
    ...statePlaces.map((place): [FeatureName, Feature] => [
      `state:${role}:${place}`,
      {
        reads: { what: "states", role },
        read: ({ states }) => told(states[role], `${role}'s hidden states`)[place],
      },
    ]),
  ];
}

/** Every feature that a head may name. */
export const featureNames = [...features.keys()] as readonly FeatureName[];

export function isFeatureName(name: string): name is FeatureName {
  return features.has(name);
}

/** True for a feature that takes the probabilities that a step's writer told. */
export function isOfWriter(name: FeatureName): boolean {
  return /^(statistic|chain|gap):/.test(name);
}

/** True for a feature that is a whole state. */
export function isState(name: FeatureName): boolean {
  return features.get(name)!.reads?.what === "states";
}

/** What must be gathered for these features. */
export function needsOf(names: readonly FeatureName[]): ReadingNeeds {
  const rolesFor = (what: keyof ReadingNeeds) =>
    readerRoles.filter((role) =>
      names.some((name) => {
        const reads = features.get(name)!.reads;
        return reads?.what === what && reads.role === role;
      }),
    );
  return {
    likelihoods: rolesFor("likelihoods"),
    typicals: rolesFor("typicals"),
    states: rolesFor("states"),
    judges: rolesFor("judges"),
  };
}

/** The models that must read something for these features. */
export function rolesReading(names: readonly FeatureName[]): ReadonlySet<ReaderRole> {
  return new Set(names.flatMap((name) => features.get(name)!.reads?.role ?? []));
}

/** How many inputs a feature is; `sizes` are the models' widths. Throws `reward-invalid` for a state of a width not given. */
export function widthOf(name: FeatureName, sizes: Partial<Record<ReaderRole, number>> = {}): number {
  const { reads } = features.get(name)!;
  if (reads?.what !== "states") return 1;
  const width = sizes[reads.role];
  if (width !== undefined) return width;
  throw new StepwrightError("reward-invalid", `${name} is as wide as the ${reads.role}, which is not known`, {
    subject: name,
    remedy: `name the ${reads.role}`,
  });
}

/** The head's inputs, in the order of the names. Throws `reward-failed` where a reading is missing. */
export function featuresOf(names: readonly FeatureName[], readings: StepReadings): Float32Array {
  const parts = names.map((name) => features.get(name)!.read(readings));
  const inputs = new Float32Array(
    parts.reduce<number>((sum, part) => sum + (typeof part === "number" ? 1 : part.length), 0),
  );
  let at = 0;
  for (const part of parts) {
    if (typeof part === "number") inputs[at++] = part;
    else {
      inputs.set(part, at);
      at += part.length;
    }
  }
  return inputs;
}

function joined(earlier: readonly TokenFigures[]): TokenFigures {
  return {
    logprobs: earlier.flatMap(({ logprobs }) => logprobs),
    entropies: earlier.flatMap(({ entropies }) => entropies),
  };
}

function figures({ step }: StepReadings, entropies: boolean) {
  if (entropies) perToken(step.entropies, step, "the step's entropies");
  perToken(step.logprobs, step, "the probabilities of the step's tokens");
  return step;
}

/** Of a step without text there may be no token, and then nothing was unsure. */
function perToken(values: readonly number[] | undefined, { text }: StepReadings["step"], what: string) {
  if (values && (values.length > 0 || text === "")) return values;
  throw missingReading(what);
}

function told<Value>(value: Value | undefined, what: string): Value {
  if (value !== undefined) return value;
  throw missingReading(what);
}

export function missingReading(what: string): StepwrightError {
  return new StepwrightError("reward-failed", `the head looks at ${what}, and nobody gave them`, {
    subject: "reward",
    remedy: "use the local models that the head was trained with",
  });
}
