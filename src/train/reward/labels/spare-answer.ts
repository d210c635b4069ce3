/** What an annotator wrote, read with patience: whatever the text is, every step gets a defined label. */

/** What could be read of one step's grading. */
export interface ReadGrading {
  readonly step: number;
  readonly right: boolean;
  readonly reference: readonly number[];
  readonly errors: readonly string[];
  /** Where its object's label stands in the text: the place of the word itself. */
  readonly labelAt: number;
}

export interface ReadAnnotation {
  /** In the order written; those without a step's number or a label are left out. */
  readonly gradings: readonly ReadGrading[];
  /** Whether the whole text is JSON as it stands: a list. */
  readonly valid: boolean;
}

export function readAnnotation(text: string): ReadAnnotation {
  const valid = Array.isArray(parsed(text));
  return { gradings: objectsIn(text).flatMap((found) => gradingOf(found) ?? []), valid };
}

export interface StepLabels {
  /** 1 is right, 0 wrong; or how probable the annotator held it that the step is right. */
  readonly values: readonly number[];
  /** Steps with just one grading. */
  readonly graded: number;
  /** The reference steps that each step was aligned with; null for one that was not graded. */
  readonly alignment: readonly (readonly number[] | null)[];
  readonly errors: readonly (readonly string[])[];
  /** All steps graded right while the answer is wrong: the label forced on the last step hides it. */
  readonly hidesError: boolean;
  /** The last step's own grading against the outcome; null where it has none. */
  readonly agreesWithOutcome: boolean | null;
}

export interface LabelRules {
  readonly steps: number;
  readonly referenceSteps: number;
  /** Whether the answer is right: the last step's label, whatever was written. */
  readonly outcome: boolean;
  /** The label of a step that has no grading, or more than one. */
  readonly missing: boolean;
  /** The label of a graded step; default: 1 where it is graded right, else 0. */
  readonly chanceOf?: ((grading: ReadGrading) => number) | undefined;
}

/** The rules that turn gradings into labels. */
export function stepLabels(gradings: readonly ReadGrading[], rules: LabelRules): StepLabels {
  const own = Array.from({ length: rules.steps }, (_, place) => {
    const found = gradings.filter(({ step }) => step === place + 1);
    return found.length === 1 ? found[0]! : null;
  });
  const { chanceOf = ({ right }: ReadGrading) => Number(right) } = rules;
  const last = own.at(-1) ?? null;
  const isPlace = (step: number) => step >= 1 && step <= rules.referenceSteps;
  return {
    values: own.map((grading, place) => {
      if (place === rules.steps - 1) return Number(rules.outcome);
      return grading ? chanceOf(grading) : Number(rules.missing);
    }),
    graded: own.filter((grading) => grading !== null).length,
    alignment: own.map((grading) => grading && [...new Set(grading.reference.filter(isPlace))]),
    errors: own.map((grading) => grading?.errors ?? []),
    hidesError: !rules.outcome && rules.steps > 0 && own.every((grading) => grading?.right),
    agreesWithOutcome: last && last.right === rules.outcome,
  };
}

function gradingOf({ object, source, start }: FoundObject): ReadGrading | null {
  const step = wholeNumber(object.step);
  const label = typeof object.label === "string" ? object.label.trim().toUpperCase() : "";
  if (step === null || (label !== "CORRECT" && label !== "INCORRECT")) return null;
  return {
    step,
    right: label === "CORRECT",
    reference: listed(object.reference).flatMap((item) => wholeNumber(item) ?? []),
    errors: listed(object.errors).filter((item): item is string => typeof item === "string" && item !== ""),
    labelAt: start + Math.max(0, source.search(/(?<="label"\s*:\s*"\s*)\w/)),
  };
}

function wholeNumber(value: unknown): number | null {
  const number = typeof value === "string" && /^\d{1,6}$/.test(value.trim()) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : null;
}

function listed(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

interface FoundObject {
  readonly object: Readonly<Record<string, unknown>>;
  readonly source: string;
  /** Where it begins in the text. */
  readonly start: number;
}

/** Every outermost object that is complete and can be read; linear in the text. */
function objectsIn(text: string): FoundObject[] {
  const found: FoundObject[] = [];
  let [depth, start, inString] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (inString) {
      if (character === "\\") at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = depth > 0;
    else if (character === "{") {
      if (depth++ === 0) start = at;
    } else if (character === "}" && depth > 0 && --depth === 0) {
      const source = text.slice(start, at + 1);
      const value = parsed(source) ?? parsed(mended(source));
      if (typeof value === "object" && value !== null) {
        found.push({ object: value as FoundObject["object"], source, start });
      }
    }
  }
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What models get wrong in JSON: LaTeX's backslashes, line breaks in strings, a comma before a bracket. */
function mended(text: string): string {
  return text
    .replace(/\\(?:(["\\/])|u[0-9a-fA-F]{4})|\\/g, (whole, escaped) =>
      whole.length > 1 || escaped ? whole : "\\\\",
    )
    .replace(/[\r\n\t]/g, " ")
    .replace(/,\s*([}\]])/g, "$1");
}
