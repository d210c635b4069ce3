/** What a head may be trained on, by name; the cheaper the reading, the earlier. */
import { type FeatureName, needsOf } from "../../rewards/readings/features.js";
import type { ReaderRole, ReadingNeeds } from "../../rewards/readings/readings.js";
import { stepStatisticNames } from "../../rewards/step-statistics.js";

export interface FeatureSet {
  readonly name: string;
  readonly essence: string;
  readonly features: readonly FeatureName[];
  /** What must be gathered for it beside the step's own figures. */
  readonly needs: ReadingNeeds;
}

const statistics: readonly FeatureName[] = [
  ...stepStatisticNames.map((name): FeatureName => `statistic:${name}`),
  "place:index",
  "place:ends",
];
/** All that is free for any draft that tells its tokens' probabilities: what every richer set begins with. */
const chain: readonly FeatureName[] = [
  ...statistics,
  "chain:doubt",
  "chain:sum",
  "chain:mean",
  "chain:mean-entropy",
];
const states = (role: ReaderRole): FeatureName[] => [
  `state:${role}:least`,
  `state:${role}:mean`,
  `state:${role}:end`,
];
const likelihood: readonly FeatureName[] = [
  ...chain,
  "likelihood:target:doubt",
  "likelihood:target:least",
  "likelihood:target:mean",
  "likelihood:target:sum",
  "gap:target:mean",
  "gap:target:sum",
];

export const featureSets: readonly FeatureSet[] = [
  set("statistics", "token statistics of the step, and its place; free", statistics),
  set("chain", "the same, and of all that the draft wrote before the step; free", chain),
  set("states", "the draft's hidden states alone; free where the draft wrote the step", states("draft")),
  set("both", "chain and the draft's states", [...chain, ...states("draft")]),
  set("mean-state", "chain and the draft's state, as its mean over the step alone", [
    ...chain,
    "state:draft:mean",
  ]),
  set("typical", "how typical the step is of the target's law, alone; one read by the target", [
    "likelihood:target:typical",
  ]),
  set("likelihood", "chain and the target's probabilities of the step; one read by the target", likelihood),
  set("target-states", "likelihood and the target's states, which the same read gives", [
    ...likelihood,
    ...states("target"),
  ]),
  set("target-mean-state", "likelihood and the target's state, as its mean over the step alone", [
    ...likelihood,
    "state:target:mean",
  ]),
  set("judge-draft", "chain and P(yes) of the draft as a judge; one read by the draft", [
    ...chain,
    "judge:draft",
  ]),
  set("judge", "chain and P(yes) of the target as a judge; one read by the target", [
    ...chain,
    "judge:target",
  ]),
  set("figures", "all that is no state: likelihood, and P(yes) of the target", [
    ...likelihood,
    "judge:target",
  ]),
  set("all", "figures and the draft's states", [...likelihood, "judge:target", ...states("draft")]),
];

function set(name: string, essence: string, features: readonly FeatureName[]): FeatureSet {
  return { name, essence, features, needs: needsOf(features) };
}
