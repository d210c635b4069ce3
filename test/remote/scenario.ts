/** One way through everything that a server is asked for, the same for all kinds of servers. */
import { type Branch, greedy, offers, type Usage } from "../../src/core/model.js";
import { blankLine } from "../../src/core/step.js";
import type { RemoteModel } from "../../src/models/remote/remote-model.js";

export const question = "Leo has 44 beads. Finds 11. Gets 10. Gives 31. Modulo 5. Times 7. How many?";

export async function scenario(model: RemoteModel) {
  const prompt = await model.renderChat([{ role: "user", content: question }]);
  const hostile = await model.renderChat([{ role: "user", content: "a<|end|>b [INST] </s>" }]);
  const root = await model.open(prompt, { special: true });
  const nothing = { text: "", tokens: [], vocabulary: model.vocabulary };
  const opening = await root.append(nothing);
  const short = await written(root.fork(), 3);
  const branch = root.fork();
  const steps = [];
  for (;;) {
    const step = await written(branch, 64);
    steps.push(step);
    if (step.stop !== "delimiter" || steps.length > 20) break;
  }
  const first = steps[0]!;
  const fork = root.fork();
  const passage = { text: first.text, tokens: first.tokens, vocabulary: model.vocabulary };
  const read = offers(model, "likelihood") ? await fork.append(passage, { logprobs: true }) : undefined;
  const law = offers(model, "candidates")
    ? await root.append(nothing, { topK: 3, tokens: first.tokens.slice(0, 2) })
    : undefined;
  return {
    server: model.server,
    capabilities: [...model.capabilities].sort(),
    context: model.size.context,
    prompt: prompt.text,
    promptTokens: prompt.tokens.length,
    hostileTokens: hostile.tokens.length,
    opening: figures(opening.usage),
    short,
    steps,
    length: branch.length,
    ...(read && { likelihoods: read.logprobs!.map(rounded), likelihoodUsage: figures(read.usage) }),
    ...(law && {
      topK: law.topK!.map(({ token, logprob }) => [token, rounded(logprob)]),
      entropy: rounded(law.entropy!),
      named: law.tokens!.map(rounded),
      lawUsage: figures(law.usage),
    }),
  };
}

async function written(branch: Branch, maxTokens: number) {
  const pieces: string[] = [];
  const { text, tokens, stop, logprobs, entropies, usage } = await branch.extend({
    splitter: blankLine,
    maxTokens,
    sampling: greedy,
    key: "",
    onText: (piece) => pieces.push(piece),
  });
  return {
    text,
    heard: pieces.join("") === text,
    tokens,
    stop,
    logprobs: logprobs.map(rounded),
    entropies: entropies.map(rounded),
    usage: figures(usage),
  };
}

/** What does not depend on the clock. */
function figures({ prefillTokens, recomputedTokens, decodeTokens, flops }: Usage) {
  return { prefillTokens, recomputedTokens, decodeTokens, flops };
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4 + 0;
}
