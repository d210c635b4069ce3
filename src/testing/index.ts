/** Helpers for tests of methods, models and rewards, ours and yours. */

export { ScriptedModel, type ScriptedModelOptions } from "../models/scripted.js";
export { messagesOf } from "../models/scripted-chat.js";
export type { Fault, Script, ScriptedCall } from "../models/scripted-faults.js";
export type { Answer, Law, StepChoice, TokenChoice } from "../models/scripted-law.js";
export { ScriptedReward, type ScriptedRewardOptions } from "../models/scripted-reward.js";
export { type Draw, everyCoin, everyDraw, type Uniform, type Weighted } from "./chance.js";
export { type ConformanceCase, type ConformanceOptions, conformance } from "./conformance.js";
export {
  type ContextLaw,
  plainLaw,
  type SpeculationCase,
  speculatedLaw,
  type TextLaw,
  type ToyDrafter,
} from "./exact-law.js";
export { chiSquareDeviation, expectedVariation, frequencies, totalVariation } from "./goodness.js";
export { timeless } from "./method-bench.js";
export { draftTree, type SampledTexts, type SessionCase, sampleSession, sampleTexts } from "./sampled-law.js";
export { sumOfEvents } from "./sum-of-events.js";
export { type ToyOptions, type ToyWorld, toyQuestion, toySkill, toySuccess, toyWorld } from "./toy-world.js";
export { VirtualClock } from "./virtual-clock.js";
