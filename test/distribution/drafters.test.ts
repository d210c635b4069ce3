/** Every drafter tells the truth about its draws: texts that it drafts for have the target's law, block after block. */
import { describe, expect, test } from "vitest";
import { rules } from "../../src/accept/index.js";
import { namedEntry } from "../../src/core/named-text.js";
import type { SparseLaw } from "../../src/core/sparse-law.js";
import type { AcceptanceRule } from "../../src/core/speculation.js";
import { drafters } from "../../src/drafts/index.js";
import type { Answer } from "../../src/models/scripted-law.js";
import { ids, letterModel, letters, sampled, spell } from "../../src/testing/draft-world.js";
import {
  type ContextLaw,
  chiSquareDeviation,
  plainLaw,
  type SampledTexts,
  sampleSession,
} from "../../src/testing/index.js";

const prefix = ids("abcdeabdeabc");
const target = letterModel(1);
/** A white box as far as it says: of a mixture it reads the heaviest token. */
const draft = letterModel(2, 2, { capabilities: ["text", "logits", "branch", "tree", "graph"] });
const length = 3;

/** The target's law after the prefix and some tokens. */
const targetLaw: ContextLaw = remembered((text) => {
  const { law } = target.options;
  const choices = "tokens" in law ? law.tokens({ prompt: "", text } as Answer) : [];
  return { tokens: ids(letters.join("")), probabilities: choices.map(({ probability }) => probability) };
});

function remembered(lawOf: (text: string) => SparseLaw): ContextLaw {
  const known = new Map<string, SparseLaw>();
  return (tokens) => {
    const text = spell([...prefix, ...tokens].slice(-2));
    const law = known.get(text) ?? lawOf(text);
    known.set(text, law);
    return law;
  };
}

async function texts(
  drafterText: string,
  ruleName: string,
  runs: number,
  sampling = sampled,
): Promise<SampledTexts> {
  const { entry, options } = await namedEntry(drafters, "drafter", drafterText);
  const rule: AcceptanceRule = await rules.get(ruleName);
  const open = await entry.open({ target, draft, texts: ["abcdeabdacb"] }, options);
  const session = open.begin(prefix);
  const counted = await sampleSession(
    {
      ...{ target: targetLaw, session, prefix, topK: open.topK, sampling, length },
      ...{ rule: rule.open(rule.schema.parse({})), nodes: 6, depth: 3 },
    },
    runs,
  );
  session.drop();
  await open.close?.();
  return counted;
}

const names = [
  "lookup",
  "suffix",
  "recycling",
  "jacobi",
  "jacobi?start=repeat",
  "model?draws=sampled",
  "model?draws=sampled&head=2",
  "model?draws=top",
  "model-tree?branching=2+1",
  "model-tree?branching=2+1&draws=independent",
  "model-tree?branching=2+1&draws=top",
  "dyspec",
  "dyspec?builder=greedy",
  "beam-forest",
  "beam-forest?draws=independent",
  "superposed",
  "retrieval",
  "rapid?draws=sampled",
  "hint",
  "fused",
  "fused?drafters=model?draws=sampled+recycling",
];

test("all drafters are here", () => {
  expect(new Set(names.map((name) => name.replace(/\?.*/, "")))).toEqual(new Set(drafters.names));
});

describe.each(names)("%s", (name) => {
  test("drafts for the target's law", async () => {
    const { counts, drafted } = await texts(name, "recursive", 4000);
    expect(drafted).toBeGreaterThan(0);
    const law = plainLaw({ target: targetLaw, sampling: sampled, length });
    expect(chiSquareDeviation(counts, law)).toBeLessThan(4);
  });

  test("changes no text of the agreement rule, truncated laws too", async () => {
    const sampling = { ...sampled, temperature: 0.8, topP: 0.9 };
    const { counts } = await texts(name, "agreement", 60, sampling);
    const plain = await texts("fused?drafters=lookup", "agreement", 60, sampling);
    expect(counts).toEqual(plain.counts);
  });
});

test("coupled drafts do not change the agreement rule's texts, and are accepted more often than draws of their own", async () => {
  const coupled = await texts("model?draws=coupled", "agreement", 300);
  const apart = await texts("model?draws=sampled", "agreement", 300);
  expect(coupled.counts).toEqual(apart.counts);
  expect(coupled.accepted / coupled.drafted).toBeGreaterThan(apart.accepted / apart.drafted);
});
