/** A reader made into a reward: checked on two fixed steps, with the frame that all questions share read once. */
import { StepwrightError } from "../core/errors.js";
import { type Capability, type Model, offers } from "../core/model.js";
import { ChainScorer } from "./chain-scorer.js";
import type { CheckedReward, SelfTest } from "./kind.js";
import { commonPrefix, type Judgement, type Reader } from "./reader.js";
import { advance, type Frame, type Held, hold, Trunk } from "./trunk.js";

export interface ModelRewardFacts {
  readonly name: string;
  readonly essence: string;
  /** Below this probability of all labels together, the model was not trained to answer with them. */
  readonly leastMass: number;
}

export const testQuestion = "What is 2 + 3?";
export const testSteps = { right: "2 + 3 = 5.\n\n", wrong: "2 + 3 = 7.\n\n" } as const;

/** Throws `reward-invalid` with the reason where the self-test fails. */
export async function createModelReward(reader: Reader, facts: ModelRewardFacts): Promise<CheckedReward> {
  const frame = await openFrame(reader);
  const dispose = async () => frame.root?.branch.drop();
  try {
    const check = await selfTest(reader, facts, frame);
    return {
      name: facts.name,
      essence: facts.essence,
      size: reader.model.size,
      check,
      open: async (question) => new ChainScorer(new Trunk(reader, question, frame)),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Throws `missing-capability`, naming the model and what this kind would do with it. */
export function requireCapability(model: Model, capability: Capability, kind: string): void {
  if (offers(model, capability)) return;
  throw new StepwrightError("missing-capability", `${kind} needs ${capability} of ${model.name}`, {
    subject: model.name,
    remedy: "use a local GGUF model for the reward, or a server that offers it (docs/remote.md)",
  });
}

/** Fewer shared ids than this are not worth a sequence of their own. */
const worthHolding = 8;

async function openFrame(reader: Reader): Promise<Frame> {
  const [one, other] = await Promise.all([
    reader.layout(testQuestion, [{ text: testSteps.right }]),
    reader.layout("x", [{ text: "a" }]),
  ]);
  const shared = commonPrefix(one, other);
  const root = shared < worthHolding ? null : await hold(reader, one.slice(0, shared));
  return { root, overhead: other.length - (root?.ids.length ?? 0) };
}

async function selfTest(reader: Reader, facts: ModelRewardFacts, frame: Frame): Promise<SelfTest> {
  const trunk = new Trunk(reader, testQuestion, frame);
  trunk.enter();
  let held: Held | null = null;
  const refuse = (reason: string) =>
    new StepwrightError("reward-invalid", `${facts.name} failed its self-test: ${reason}`, {
      subject: facts.name,
      remedy: "use the model this format was trained for, another preset, or judge: with a chat model",
    });
  try {
    held = await trunk.fork();
    const judgements: Judgement[] = [];
    for (const text of [testSteps.right, testSteps.wrong]) {
      const wanted = await reader.layout(testQuestion, [{ text }]);
      const reading = await advance(reader, held, wanted);
      const judgement = await reader.judge(reading, { branch: held.branch, ids: wanted });
      const { value, mass } = judgement;
      if (!Number.isFinite(value)) throw refuse(`the score of a plain step is ${value}`);
      if (value < 0 || value > 1) throw refuse(`the score ${value} of a plain step lies outside 0 to 1`);
      if (!(mass >= facts.leastMass)) {
        throw refuse(
          `its labels have a probability of ${mass.toPrecision(2)} where the score is read, so it was not trained to answer with them`,
        );
      }
      judgements.push(judgement);
    }
    const [right, wrong] = judgements as [Judgement, Judgement];
    // A coarse grade may be the same for both; the probability behind it is not, unless the step is not read.
    if (same(right.value, wrong.value) && same(right.mass, wrong.mass)) {
      throw refuse(`a right and a wrong step have the same score, ${right.value}`);
    }
    return { right: right.value, wrong: wrong.value };
  } finally {
    held?.branch.drop();
    trunk.leave();
  }
}

/** Equal to machine precision. */
function same(a: number, b: number): boolean {
  return Math.abs(a - b) <= Number.EPSILON * Math.max(a, b);
}
