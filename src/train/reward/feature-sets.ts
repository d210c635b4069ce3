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
const chain: readonly FeatureName[] = ["chain:doubt", "chain:sum", "chain:mean", "chain:mean-entropy"];
const states = (role: ReaderRole): FeatureName[] => [
  `state:${role}:least`,
  `state:${role}:mean`,
  `state:${role}:end`,
];
const likelihood: readonly FeatureName[] = [
  "likelihood:target:doubt",
  "likelihood:target:least",
  "likelihood:target:mean",
  "likelihood:target:sum",
  "gap:target:mean",
  "gap:target:sum",
];

export const featureSets: readonly FeatureSet[] = [
  set("statistics", "token statistics of the step and its place; free", statistics),
  set("chain", "statistics of the step and of all that the draft wrote before it; free", [
    ...statistics,
    ...chain,
  ]),
  set("states", "the draft's hidden states; free where the draft wrote the step", states("draft")),
  set("both", "statistics and the draft's states", [...statistics, ...states("draft")]),
  set("likelihood", "statistics and the target's probabilities of the step; one read by the target", [
    ...statistics,
    ...likelihood,
  ]),
  set("target-states", "as likelihood, with the target's states, which the same read gives", [
    ...statistics,
    ...likelihood,
    ...states("target"),
  ]),
  set("judge-draft", "statistics and P(yes) of the draft as a judge; one read by the draft", [
    ...statistics,
    "judge:draft",
  ]),
  set("judge", "statistics and P(yes) of the target as a judge; one read by the target", [
    ...statistics,
    "judge:target",
  ]),
  set("figures", "all that is no state: chain, likelihood and the target's judgement", [
    ...statistics,
    ...chain,
    ...likelihood,
    "judge:target",
  ]),
  set("all", "figures and the draft's states", [
    ...statistics,
    ...chain,
    ...likelihood,
    "judge:target",
    ...states("draft"),
  ]),
];

function set(name: string, essence: string, features: readonly FeatureName[]): FeatureSet {
  return { name, essence, features, needs: needsOf(features) };
}
