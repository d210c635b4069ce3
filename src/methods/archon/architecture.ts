/** `generate*5 > critique > rank*2 > fuse`: layers of components, read, checked and counted before anything runs. */
import { StepwrightError } from "../../core/errors.js";
import type { Writer } from "../../core/search.js";

export const componentNames = ["generate", "fuse", "critique", "rank", "verify", "test"] as const;
export type ComponentName = (typeof componentNames)[number];

export interface Component {
  readonly name: ComponentName;
  /** Who is called. */
  readonly role: Writer;
  /** Texts written by generate and fuse; answers kept by rank, verify and test. */
  readonly count: number;
}

/** The components of a layer all read what the layer before left; what they leave is joined. */
export type Layer = readonly Component[];

/** Without a number: one text; the five best; all that pass. */
const defaultCounts: Readonly<Record<ComponentName, number>> = {
  generate: 1,
  fuse: 1,
  critique: 1,
  rank: 5,
  verify: Number.POSITIVE_INFINITY,
  test: Number.POSITIVE_INFINITY,
};

const pattern = /^(?:(draft|target)\.)?([a-z]+)(?:\*([1-9]\d{0,2}))?$/;

/** Throws `invalid-option` for a component that is unknown and for an order that makes no sense. */
export function parseArchitecture(text: string): Layer[] {
  const layers = text.split(">").map((layer) => layer.split("+").map(parseComponent));
  const problem = orderProblem(layers);
  if (problem) throw invalid(`"${text}": ${problem}`);
  return layers;
}

function parseComponent(text: string): Component {
  const [, role, name = "", count] = pattern.exec(text.trim()) ?? [];
  if (!isComponentName(name)) {
    throw invalid(`"${text.trim()}" is no component`, `known: ${componentNames.join(", ")}`);
  }
  if (name === "critique" && count !== undefined) throw invalid("critique takes no number: it is one call");
  return {
    name,
    // Answers are cheap to write and dear to judge.
    role: role === "draft" || role === "target" ? role : name === "generate" ? "draft" : "target",
    count: count === undefined ? defaultCounts[name] : Number(count),
  };
}

function isComponentName(name: string): name is ComponentName {
  return (componentNames as readonly string[]).includes(name);
}

/** The paper's rules of construction; what is wrong, or undefined. */
function orderProblem(layers: readonly Layer[]): string | undefined {
  for (const [index, layer] of layers.entries()) {
    const name = layer[0]!.name;
    if (layer.some((component) => component.name !== name)) return "a layer holds one type of component";
    if ((name === "generate") !== (index === 0))
      return "answers are generated in the first layer and only there";
    if (layer.length > 1 && name !== "generate" && name !== "fuse") return `a layer holds one ${name}`;
    const next = layers[index + 1]?.[0]?.name;
    if (name === "critique" && next !== "rank" && next !== "fuse")
      return "a critique is for a rank or fuse after it";
  }
  return undefined;
}

/**
 * The most calls that an architecture makes, repeated attempts at a critique not counted: exactly as many where no
 * verifier drops an answer. Calls per component, for C answers: generate and fuse one a text, critique and rank 1,
 * verify 2C, test 1 + C.
 */
export function mostCalls(layers: readonly Layer[]): number {
  let calls = 0;
  let answers = 0;
  for (const layer of layers) {
    const before = answers;
    for (const { name, count } of layer) {
      switch (name) {
        case "generate":
        case "fuse":
          calls += count;
          break;
        case "critique":
        case "rank":
          calls += 1;
          break;
        case "verify":
          calls += 2 * before;
          break;
        case "test":
          calls += 1 + before;
      }
    }
    answers = answersAfter(layer, before);
  }
  return calls;
}

/** The most answers that a layer leaves of `before`. */
function answersAfter(layer: Layer, before: number): number {
  const { name, count } = layer[0]!;
  if (name === "critique") return before;
  if (name === "generate" || name === "fuse")
    return layer.reduce((sum, component) => sum + component.count, 0);
  return Math.min(before, count);
}

function invalid(problem: string, remedy?: string): StepwrightError {
  return new StepwrightError("invalid-option", `architecture: ${problem}`, {
    subject: "architecture",
    remedy: remedy ?? 'write layers such as "generate*5>critique>rank*2>fuse"',
  });
}
