import { expect, it } from "vitest";
import { rules } from "../../src/accept/index.js";
import { expectation, flagsOf } from "../../src/cli/flags.js";
import type { AcceptanceRule } from "../../src/core/speculation.js";

const introduction = `# Acceptance rules

Generated from the rules themselves: \`npx vitest run test/docs/rules.test.ts -u\` writes it anew. A drafter proposes tokens
([drafters.md](drafters.md)), the target reads them in one pass, a rule says which stay. What a rule is, from the beginning:
[speculative-decoding.md](speculative-decoding.md).

A rule is a pipeline: the target's law, as it is or changed; the test of the drafts; a rescue of what the test refused; a
veto of what it let pass. A stage that is off is absent, and the texts are those of the rule without it, to the bit.
\`p\` is the target's law after temperature, top-k, top-p and min-p, \`q\` the law that a draft was drawn from.
`;

const proofs = `## What "lossless" rests on

Three layers, and only the first two are exact everywhere:

1. **Theory.** The rule's law is \`p\` if the drafter tells the truth about its draws.
2. **This code.** \`test/distribution/speculation.test.ts\` integrates over every draw of a drafter and every fall of a rule's
   coins on order-2 toy laws, for each lossless rule with each kind of draft it takes (chains, independent draws, merged
   ones, draws without replacement, fixed ones, all of them side by side), tempered and truncated: the total variation from
   the target's law of texts is below 1e-10. Sampled texts are held to the same law by chi-square.
   \`test/distribution/speculation-mutants.test.ts\` shows that fourteen rules and drafters that are almost right are seen.
   \`test/distribution/drafters.test.ts\` runs every drafter, with what it learns, against the same law.
3. **Numbers.** A pass over many tokens rounds differently from a pass over one, so near ties may fall otherwise
   ([speculation.md](speculation.md)).

The residual needs no pass over the vocabulary: outside the tokens that a draft could have been, every residual is
proportional to \`p\`, so one token drawn from \`p\` outside them stands for all (\`src/core/residual-law.ts\`).

How often two drafts of one place are accepted, exactly, over 20 random pairs of laws (\`acceptance.test.ts\`): independent
draws more often than one draw, k-SEQ more often than multi-round in each pair, draws without replacement most often on average.

To hold a rule of your own to this: \`speculatedLaw\`, \`plainLaw\` and \`totalVariation\` of \`stepwright/testing\`, as in
[speculative-decoding.md](speculative-decoding.md), section 7.
`;

const measured = `## What the lossy rules change

On the lab's pair, drafts of 4 by \`lab:draft\` at the request's temperature, 100 questions from index 700,000, and 150 places
of texts that the target sampled. TV is the total variation of the law of the *next written token* from the target's, exact
over drafts and coins, on laws cut to tokens above 1e-4. Thresholds and counts come from 400 other questions.
\`node bench/lossy-rules.js --questions 100 --places 150\`, AMD EPYC, 2026-11-23, 4 minutes of processor time.

| rule | temperature | TV, mean | TV, greatest | right | drafts accepted | tokens per block |
|---|---|---|---|---|---|---|
| target alone | 0 | 0 | 0 | 100/100 | | 1 |
| agreement, recursive | 0 | 0 | 0 | 100/100 | 90 % | 3.90 |
| typical | 0 | 0 | 0 | 100/100 | 90 % | 3.90 |
| calibrated-rescue, 24 pairs counted | 0 | 0 | 0 | 96/100 | 91 % | 3.92 |
| entropy-veto, thresholds at the 0.9 quantile | 0 | 0.0062 | 1 | 58/100 | 83 % | 3.67 |
| entropy-veto, thresholds at the 0.99 quantile | 0 | 0 | 0 | 97/100 | 90 % | 3.90 |
| reflective, alpha 0.1 | 0 | 0 | 0 | 100/100 | 90 % | 3.90 |
| reflective, alpha 0.3 | 0 | 0.0124 | 1 | 98/100 | 90 % | 3.90 |
| reflective, alpha 0.5 | 0 | 0.0186 | 1 | 15/100 | 71 % | 3.33 |
| target alone | 1 | 0 | 0 | 99/100 | | 1 |
| agreement | 1 | 0 | 0 | 99/100 | 89 % | 3.87 |
| recursive | 1 | 0 | 0 | 100/100 | 89 % | 3.87 |
| typical | 1 | 0.0005 | 0.020 | 99/100 | 89 % | 3.87 |
| calibrated-rescue | 1 | 0.0000 | 0.003 | 99/100 | 89 % | 3.88 |
| entropy-veto, 0.9 quantile | 1 | 0.0062 | 0.999 | 60/100 | 82 % | 3.63 |
| entropy-veto, 0.99 quantile | 1 | 0.0000 | 0.000 | 98/100 | 89 % | 3.87 |
| reflective, alpha 0.1 | 1 | 0.0008 | 0.079 | 97/100 | 90 % | 3.88 |
| reflective, alpha 0.3 | 1 | 0.0104 | 0.776 | 84/100 | 87 % | 3.81 |
| reflective, alpha 0.5 | 1 | 0.0277 | 0.993 | 13/100 | 66 % | 3.14 |

At temperature 0 a TV is the share of places where another token is written. None of them earns its place on this pair: the
target is nearly always sure and right, so a rescue or a veto can only hurt. A mean TV of 0.006 costs 40 of 100 answers, because
one wrong figure spoils a story: a small distance of tokens is no promise for answers. The lab's target has never read a call
to review its text; what \`reflective\` does to a model that understands one is not measured here. Does it accept what it
has just read, whatever that was? With drafts of random tokens (\`--control\`, 20 questions, temperature 0) it accepts 1 of
3,076 at alpha 0, 1 of 3,076 at 0.1, 1 of 3,068 at 0.3 and 1 of 3,248 at 0.5: no, it does not merely repeat.
What the cards leave open and we decided: the review's words and weight, the lists' length, the overlap and quantiles of
the veto, the pair counted above temperature 0 (the draft and the corrected token). Entropies, lists and gates use laws at
temperature 1, whatever the request's temperature.
`;

function row({ name, essence, source, lossless, proposals }: AcceptanceRule): string {
  const kinds = proposals.length === 3 ? "all" : proposals.join(", ");
  return line([`\`${name}\``, essence, lossless ? "lossless" : "**lossy**", kinds, source]);
}

/** None for a rule without options. */
function section({ name, schema }: AcceptanceRule): string {
  const options = flagsOf(schema).map((flag) =>
    line([`\`${flag.key}\``, expectation(flag), String(flag.initial ?? ""), flag.description]),
  );
  const table = ["| option | takes | default | meaning |", "|---|---|---|---|", ...options];
  return options.length > 0 ? `## ${name}\n\n${table.join("\n")}` : "";
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", "\\n")).join(" | ")} |`;
}

it("docs/speculation-rules.md is what the rules say of themselves", async () => {
  const all = await rules.all();
  const table = [
    "| rule | what it does | the target's law | drafts it tests | source |",
    "|---|---|---|---|---|",
    ...all.map(row),
  ].join("\n");
  const page = [introduction, table, "", ...all.map(section), proofs, measured].join("\n\n");
  await expect(`${page.replaceAll(/\n{3,}/g, "\n\n").trimEnd()}\n`).toMatchFileSnapshot(
    "../../docs/speculation-rules.md",
  );
});
