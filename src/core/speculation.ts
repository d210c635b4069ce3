/**
 * Token-level speculation in three nouns: a drafter proposes a tree, an acceptance rule walks it, a controller says how
 * much to draft. Terms: drafted = in the tree; accepted = drafted and kept; recovered = written by the target where a
 * draft was refused; bonus = written by the target after the last accepted draft; rejected = drafted and not kept.
 */
import type { z } from "zod";
import type { DraftTree, Proposal } from "./draft-tree.js";
import type { Candidate, Model, ModelSize, Sampling, TreeRow, Usage } from "./model.js";
import type { Passage, Token } from "./step.js";

// ---- drafters (src/drafts) ---------------------------------------------------------------------------------------

export interface DraftRequest {
  /** Everything in the target's branch; the last one or more tokens are not passed yet. */
  readonly tokens: readonly Token[];
  /** Most nodes, and greatest depth, of the tree. */
  readonly nodes: number;
  readonly depth: number;
  readonly sampling: Sampling;
  /** Stream of random numbers of the target's branch. Draws use (seed, key, position, "draft", ...). */
  readonly key: string;
  /** What may well come next, told by the caller: the draft's own rejected step. In the target's ids. */
  readonly hints: readonly (readonly Token[])[];
  /** Asked after each drafted token of a chain or level of a tree: true ends the drafting before the limits. */
  readonly shouldStop?: ((drafted: Drafted) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a controller may know of the token just drafted. */
export interface Drafted {
  readonly depth: number;
  /** The drafter's probability of it; 1 for tables. */
  readonly probability: number;
  /** Of the drafter's law, in nats; 0 for tables. */
  readonly entropy: number;
  /** The draft model's final-norm state that it was drawn from, where asked for and offered. */
  readonly hidden?: Float32Array | undefined;
}

export interface Draft {
  readonly tree: DraftTree;
  /** What the draft model's passes cost; absent for tables. */
  readonly usage?: Usage;
}

/** What became of a draft: told to drafter and controller after every verified block. */
export interface Verified {
  readonly tree: DraftTree;
  /** The target's rows: after the branch's end, then after each node; with `topK` where the drafter asked for it. */
  readonly rows: readonly TreeRow[];
  /** The kept nodes, from the root on. */
  readonly path: readonly number[];
  /** What was written: the kept drafts, and the target's own token after them unless the step ended before it. */
  readonly written: readonly Token[];
  /** Everything in the target's branch before the block. */
  readonly tokens: readonly Token[];
}

/** A drafter at work beside one branch of the target. Calls are made one at a time. */
export interface DraftSession {
  propose(request: DraftRequest): Promise<Draft>;
  learn?(verified: Verified): void;
  /** For a fork of the target's branch. */
  fork(): DraftSession;
  drop(): void;
}

/** What a drafter is opened with, once for a target model and its run of branches. */
export interface DraftResources {
  readonly target: Model;
  /** The draft model of the pair, where there is one with the same vocabulary. */
  readonly draft?: Model | undefined;
}

/** A drafter's shared state (tables that all branches of a model fill), and the sessions on it. */
export interface OpenDrafter {
  /** How many of the target's most probable tokens `learn` wants with each row; 0 is none. */
  readonly topK: number;
  /** Sizes of the draft's passes for predictions; absent for tables. */
  readonly size?: ModelSize;
  /** A session for a branch that holds these tokens, as rendered from `prompt` where that is known. */
  begin(tokens: readonly Token[], prompt?: Passage): DraftSession;
  close?(): Promise<void>;
}

export interface Drafter<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  /** One line: where its drafts come from. */
  readonly essence: string;
  readonly source: string;
  readonly shape: "chain" | "tree";
  /** True where it needs the pair's draft model. */
  readonly needsDraft: boolean;
  readonly schema: Schema;
  open(resources: DraftResources, options: z.output<Schema>): Promise<OpenDrafter>;
}

export function defineDrafter<Schema extends z.ZodObject>(drafter: Drafter<Schema>): Drafter<Schema> {
  return drafter;
}

// ---- acceptance rules (src/accept) -------------------------------------------------------------------------------

export interface Child {
  readonly node: number;
  readonly token: Token;
  readonly proposal: Proposal;
}

/** One place of the walk: the target's law there and the drafts that hang on it. */
export interface Place {
  readonly row: TreeRow;
  /** The tokens whose probabilities `row` carries, in its order: every token of the children's laws. */
  readonly asked: readonly Token[];
  readonly children: readonly Child[];
  /** Uniform in [0, 1), keyed by this position and the purpose: the same purpose gives the same number. */
  uniform(purpose: string): number;
  readonly sampling: Sampling;
}

/** Go on to a drafted child, or write this token of the target's and end the block. */
export type Decision = { readonly child: number } | { readonly write: Candidate };

export interface AcceptanceRule<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly essence: string;
  readonly source: string;
  /** True: what is written has the target's processed law exactly, for the kinds of proposals below. */
  readonly lossless: boolean;
  readonly proposals: readonly Proposal["kind"][];
  readonly schema: Schema;
  /** A rule for one run; its options, and what it keeps between places (a calibration), live in it. */
  open(options: z.output<Schema>): OpenRule;
}

export interface OpenRule {
  /** How many of the target's most probable tokens it wants with each row; 0 is none. */
  readonly topK: number;
  decide(place: Place): Decision;
}

export function defineRule<Schema extends z.ZodObject>(rule: AcceptanceRule<Schema>): AcceptanceRule<Schema> {
  return rule;
}

// ---- controllers (src/speculation/controllers) -------------------------------------------------------------------

/** Seconds of one pass of the target over k tokens, and of the draft over one: measured, or from a calibration. */
export interface SpeculationCosts {
  target(tokens: number): number;
  draft(tokens: number): number;
}

export interface ControllerView {
  /** Branches that speculate at this moment. */
  readonly load: number;
  readonly costs: SpeculationCosts | null;
}

export interface OpenController {
  /** Nodes and depth to draft for the next block; no nodes means plain decoding for this block. */
  choose(view: ControllerView): { readonly nodes: number; readonly depth: number };
  shouldStop?(drafted: Drafted): boolean;
  learn?(verified: Verified, seconds: { readonly draft: number; readonly target: number }): void;
}

export interface Controller<Schema extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly essence: string;
  readonly source: string;
  readonly schema: Schema;
  open(options: z.output<Schema>): OpenController;
}

export function defineController<Schema extends z.ZodObject>(
  controller: Controller<Schema>,
): Controller<Schema> {
  return controller;
}
