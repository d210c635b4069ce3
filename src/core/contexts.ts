/**
 * The branches and scorers under a search tree. A node's branch for a role is made when the role must write there,
 * from the nearest ancestor that has one: so a target reads accepted draft steps only when it is needed, and then
 * all of them at once.
 */
import { StepwrightError } from "./errors.js";
import { Held } from "./held.js";
import { type Branch, type Model, spanFlops, type Usage } from "./model.js";
import { isConversation, promptPassage } from "./prompt.js";
import type { Reward, Scorer, StepCheck } from "./reward.js";
import type { Writer } from "./search.js";
import type { SearchNode } from "./search-node.js";
import type { Passage, Step } from "./step.js";
import type { TraceEvent } from "./trace-event.js";

/** The call that a reading is done for: it checks the budget first and carries the events. */
export interface Spender {
  readonly signal: AbortSignal;
  /** Throws `budget-exhausted` if so many FLOPs may not be spent. */
  spend(flops: number): void;
  note(event: TraceEvent): void;
}

export interface ContextOptions {
  readonly question: string;
  readonly system: string | null;
  readonly models: { readonly draft?: Model | undefined; readonly target?: Model | undefined };
  readonly reward?: Reward | undefined;
  readonly checkStep?: StepCheck | undefined;
}

export class Contexts {
  readonly #options: ContextOptions;

  constructor(options: ContextOptions) {
    this.#options = options;
  }

  /** The role's branch at this node, made if need be. Calls that need the same one share it. */
  branchAt(node: SearchNode, role: Writer, spender: Spender): Held<Branch> {
    const held = node.branches[role];
    if (held) return held;
    const made = new Held(
      node.parent ? this.#catchUp(node, role, spender) : this.#openPrompt(node, role, spender),
    );
    node.branches[role] = made;
    // A reading that failed must not fail the next call too.
    made.use(() => {}).catch(() => node.branches[role] === made && delete node.branches[role]);
    return made;
  }

  /** The chain read up to this node, made if need be. */
  scorerAt(node: SearchNode): Held<Scorer> {
    if (node.scorer) return node.scorer;
    const made = new Held(this.#chain(node));
    node.scorer = made;
    made
      .use(() => {})
      .catch(() => {
        if (node.scorer === made) node.scorer = undefined;
      });
    return made;
  }

  /** The role that this model writes in, if it writes in any. */
  roleOf(model: Model): Writer | undefined {
    return (["draft", "target"] as const).find((role) => this.#options.models[role] === model);
  }

  /**
   * The most FLOPs that reading anew up to a node and passing so many tokens more can cost; null before the prompt has
   * been rendered.
   */
  mostFlops(node: SearchNode, role: Writer, more: number): number | null {
    const prompt = node.tree.promptTokens[role];
    if (prompt === undefined) return null;
    const model = this.model(role);
    let tokens = prompt + more;
    for (let at: SearchNode | null = node; at?.step; at = at.parent) {
      tokens += at.step.vocabulary === model.vocabulary ? at.step.tokens.length : mostTokens(at.step.text);
    }
    return spanFlops(model.size, 0, tokens);
  }

  /** Throws `missing-role` for a role that the method does not name in its needs. */
  model(role: Writer): Model {
    const model = this.#options.models[role];
    if (model) return model;
    throw new StepwrightError("missing-role", `the method asked for a ${role}, which it does not name`);
  }

  async #openPrompt({ tree }: SearchNode, role: Writer, spender: Spender): Promise<Branch> {
    const model = this.model(role);
    const { signal } = spender;
    const prompt = await promptPassage(model, tree.prompt, { signal });
    const length = prompt.tokens.length;
    if (length >= model.size.context) throw tooLong(role, model, length);
    tree.promptTokens[role] = length;
    spender.spend(spanFlops(model.size, 0, length));
    const branch = await model.open(prompt, { special: isConversation(tree.prompt), signal });
    // Read now, so that branches forked from here share the prompt instead of each reading it.
    return this.#read(branch, { text: "", tokens: [], vocabulary: model.vocabulary }, spender, {
      type: "context-read",
      role,
      node: tree.id,
      purpose: "prompt",
    });
  }

  async #catchUp(node: SearchNode, role: Writer, spender: Spender): Promise<Branch> {
    const model = this.model(role);
    const missing: Step[] = [];
    let base: SearchNode = node;
    do {
      missing.unshift(base.step!);
      base = base.parent!;
      // Where the tree branches the reading stops once, so that what siblings share is read once.
    } while (base.parent && !base.branches[role] && !base.branchesOut());
    const passage = await inVocabulary(missing, model);
    return this.branchAt(base, role, spender).use(async (ancestor) => {
      const { length } = ancestor;
      if (length + passage.tokens.length >= model.size.context) throw tooLong(role, model, length);
      spender.spend(spanFlops(model.size, length, passage.tokens.length));
      return this.#read(ancestor.fork(), passage, spender, {
        type: "context-read",
        role,
        node: node.id,
        purpose: "catch-up",
      });
    });
  }

  async #read(
    branch: Branch,
    passage: Passage,
    spender: Spender,
    event: Omit<Extract<TraceEvent, { type: "context-read" }>, "usage">,
  ): Promise<Branch> {
    try {
      const { usage } = await branch.append(passage, { signal: spender.signal });
      if (costsSomething(usage)) spender.note({ ...event, usage });
      return branch;
    } catch (error) {
      branch.drop();
      throw error;
    }
  }

  async #chain(node: SearchNode): Promise<Scorer> {
    if (!node.parent) {
      const { reward, question, system, checkStep } = this.#options;
      // Whatever the prompt, what is scored is an answer to the run's question.
      return reward!.open(question, { system, checkStep });
    }
    const missing: Step[] = [];
    let base: SearchNode = node;
    for (; base.parent && !base.scorer; base = base.parent) missing.unshift(base.step!);
    return this.scorerAt(base).use((ancestor) => {
      const scorer = ancestor.fork();
      for (const step of missing) scorer.skip(step);
      return scorer;
    });
  }
}

/** One passage in the model's own ids: handed over where the vocabularies agree, tokenized from the text elsewhere. */
export async function inVocabulary(steps: readonly Step[], model: Model): Promise<Passage> {
  const { vocabulary } = model;
  const text = steps.map((step) => step.text).join("");
  if (steps.every((step) => step.vocabulary === vocabulary)) {
    return { text, tokens: steps.flatMap((step) => step.tokens), vocabulary };
  }
  const parts: Passage[] = [];
  for (const step of steps) {
    const last = parts.at(-1);
    const own = step.vocabulary === vocabulary;
    if (last && !own && last.vocabulary !== vocabulary) {
      // Neighbouring foreign steps are joined before they are tokenized, as one text would be.
      parts[parts.length - 1] = { ...last, text: last.text + step.text };
    } else parts.push(step);
  }
  const tokens: number[] = [];
  for (const part of parts) {
    tokens.push(...(part.vocabulary === vocabulary ? part.tokens : await model.tokenize(part.text)));
  }
  return { text, tokens, vocabulary };
}

/** In a vocabulary that is not known, a text has at most a token for each byte, and one for a leading space. */
export function mostTokens(text: string): number {
  return new TextEncoder().encode(text).length + 1;
}

function costsSomething(usage: Usage): boolean {
  return usage.prefillTokens > 0 || usage.decodeTokens > 0 || usage.flops > 0 || usage.seconds > 0;
}

export function tooLong(role: Writer, model: Model, tokens: number): StepwrightError {
  return new StepwrightError(
    "context-exceeded",
    `the ${role} ${model.name} would have to read ${tokens} tokens, but its context holds ${model.size.context}`,
    { subject: role, remedy: "shorten the question, or open the model with a longer context" },
  );
}
