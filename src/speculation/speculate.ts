/** Makes a model speculate. */
import { rules } from "../accept/index.js";
import { StepwrightError } from "../core/errors.js";
import type { Method } from "../core/method.js";
import type { Model, NamedOptions } from "../core/model.js";
import { namedEntry } from "../core/named-text.js";
import type { Registry } from "../core/registry.js";
import { parseOptions } from "../core/run-request.js";
import type {
  AcceptanceRule,
  Controller,
  ControllerResources,
  Drafter,
  DraftResources,
  OpenDrafter,
} from "../core/speculation.js";
import { drafters } from "../drafts/index.js";
import { controllers } from "./controllers/index.js";
import { checkSameVocabulary } from "./same-vocabulary.js";
import { SpeculatingModel } from "./speculating-model.js";

/** A name, with options behind it (`fixed?depth=3`), or one's own with its options. */
export type Choice<Entry> = string | Entry | { readonly use: Entry; readonly options: unknown };

export interface SpeculateOptions extends Omit<DraftResources, "target"> {
  /** Default: `model` where the draft model is cheap enough that it may pay, else `suffix`, which costs nothing. */
  readonly drafter?: Choice<Drafter> | undefined;
  /** Default: `agreement`, which writes what plain decoding writes, to the token, at any temperature. */
  readonly rule?: Choice<AcceptanceRule> | undefined;
  /** Default: `auto`. */
  readonly controller?: Choice<Controller> | undefined;
  /** True where several users' texts pass through: by default nothing of one is then remembered for another. */
  readonly isolated?: boolean | undefined;
  /** Of this pair on this machine, as `stepwright calibrate` measured them. */
  readonly costs?: ControllerResources["costs"] | undefined;
  /** Reads the head that a controller's option names. Default: none can be named. */
  readonly loadHead?: ControllerResources["loadHead"] | undefined;
  /** Seconds; default: the clock. */
  readonly now?: (() => number) | undefined;
}

/**
 * The target with drafts before its tokens: only how its branches write differs. Closing it closes the target, not the
 * draft model. Throws `missing-capability` where the target reads no trees, `missing-role` where the drafter needs a
 * draft model, `vocabulary-mismatch`, and `invalid-option` where the rule cannot test what the drafter drafts.
 */
export async function speculate(target: Model, options: SpeculateOptions = {}): Promise<SpeculatingModel> {
  const { draft, texts, costs = null, now } = options;
  if (!target.capabilities.has("tree")) throw readsNoTrees(target);
  const drafting = await chosen(drafters, "drafter", options.drafter ?? usualDrafter(target, options));
  const testing = await chosen(rules, "acceptance rule", options.rule ?? "agreement");
  const controlling = await chosen(controllers, "controller", options.controller ?? "auto");
  if (drafting.entry.needsDraft) {
    if (!draft) throw needsDraft(drafting.entry);
    await checkSameVocabulary(draft, target);
  }
  // A drafter that can do without one leaves a draft model of other ids alone.
  const own = draft?.vocabulary === target.vocabulary ? draft : undefined;
  const drafter = await drafting.entry.open({ target, draft: own, texts }, drafting.options);
  try {
    checkProposals(drafting.entry, drafter, testing.entry);
    const controller = await controlling.entry.open(controlling.options, {
      ...{ target, draft: own, costs, shape: drafting.entry.shape },
      loadHead: options.loadHead ?? refuseHead,
    });
    const openRule = () => testing.entry.open(testing.options);
    openRule();
    const identity = {
      drafter: named(drafting),
      rule: named(testing),
      controller: named(controlling),
      ...(drafter.size && own && { draft: own.fingerprint }),
    };
    const parts = { target, drafter, openRule, controller, identity };
    return new SpeculatingModel({ ...parts, ...(now && { now }) });
  } catch (error) {
    await drafter.close?.();
    throw error;
  }
}

/**
 * A draft model that costs more than this share of the target per token hardly ever pays: at 0.2 even four drafts of which
 * all are accepted cost 0.8 of a pass, beside a pass of the target that is wider.
 */
const dearDraft = 0.2;

function usualDrafter(target: Model, { draft, costs, isolated }: SpeculateOptions): string {
  const ownText = isolated ? "suffix?memory=0" : "suffix";
  if (draft?.vocabulary !== target.vocabulary) return ownText;
  const share = costs ? costs.draft(1) / costs.target(1) : draft.size.multiplied / target.size.multiplied;
  return share < dearDraft ? "model" : ownText;
}

interface Chosen<Entry> {
  readonly entry: Entry;
  readonly options: Record<string, unknown>;
}

async function chosen<Entry extends Pick<Method, "name" | "schema">>(
  registry: Registry<Entry>,
  kind: string,
  choice: Choice<Entry>,
): Promise<Chosen<Entry>> {
  if (typeof choice === "string") return namedEntry(registry, kind, choice);
  const { use, options } =
    "use" in choice && typeof choice.use === "object" ? choice : { use: choice as Entry, options: {} };
  return { entry: use, options: parseOptions(use, options, kind) };
}

function named({ entry, options }: Chosen<{ readonly name: string }>): NamedOptions {
  return { name: entry.name, options };
}

function checkProposals(drafter: Drafter, opened: OpenDrafter, rule: AcceptanceRule): void {
  const made = opened.proposals ?? drafter.proposals;
  const wrong = made.find((kind) => !rule.proposals.includes(kind));
  if (wrong === undefined) return;
  throw new StepwrightError(
    "invalid-option",
    `rule ${rule.name} cannot test what drafter ${drafter.name} drafts (${wrong})`,
    {
      subject: "rule",
      remedy: "take rule agreement, which tests every draft, or another option of the drafter",
    },
  );
}

function readsNoTrees({ name, capabilities }: Model): StepwrightError {
  return new StepwrightError(
    "missing-capability",
    `${name} cannot read drafts before its own tokens: it offers no "tree"`,
    {
      subject: "target",
      remedy: `${name} offers: ${[...capabilities].join(", ")}; speculation needs a local model whose cache can be rolled back`,
    },
  );
}

function needsDraft({ name }: Drafter): StepwrightError {
  return new StepwrightError("missing-role", `drafter ${name} needs a draft model`, {
    subject: "draft",
    remedy: "name one: --draft; or draft from the text itself: --speculate lookup",
  });
}

async function refuseHead(reference: string): Promise<never> {
  throw new StepwrightError("invalid-option", `"${reference}": no head can be named here`, {
    remedy: "pass loadHead to speculate()",
  });
}
