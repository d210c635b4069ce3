// A drafter of one's own: it knows that this assistant likes to end in one sentence, and guesses it from its first word.
import { parseSplitter } from "stepwright";
import { DraftTree, defineDrafter, pointProposal, speculate } from "stepwright/speculation";
import { ScriptedModel } from "stepwright/testing";
import { z } from "zod";

const phrases = defineDrafter({
  name: "phrases",
  essence: "stock sentences, from their first token on",
  source: "this example",
  shape: "chain",
  proposals: ["point"],
  needsDraft: false,
  cost: "nothing but the nodes that the target reads",
  use: "assistants that repeat themselves",
  schema: z.object({ phrase: z.string().describe("the sentence that is guessed") }),
  async open({ target }, { phrase }) {
    const sentence = await target.tokenize(phrase);
    const session = {
      async propose({ tokens, depth }) {
        // How much of the sentence the text ends with; what is left of it is the draft.
        let begun = sentence.length - 1;
        while (begun > 0 && !sentence.slice(0, begun).every((token, at) => token === tokens.at(at - begun)))
          begun--;
        const rest = begun > 0 ? sentence.slice(begun, begun + depth) : [];
        return {
          tree: DraftTree.chain(rest.map((token) => ({ token, proposal: pointProposal, origin: "phrases" }))),
        };
      },
      fork: () => session,
      drop() {},
    };
    return { topK: 0, begin: () => session };
  },
});

const phrase = "I hope this helps you further.";
const target = new ScriptedModel({
  law: {
    steps: (_, steps) => [{ text: steps.length === 0 ? `It is 42. ${phrase}` : "Bye.", probability: 1 }],
  },
});
const model = await speculate(target, {
  drafter: { use: phrases, options: { phrase } },
  controller: "fixed?depth=8",
});
const branch = await model.open("user: what is it?\nassistant: ");
const { text, tokens, speculation } = await branch.extend({
  splitter: parseSplitter("blank-line"),
  maxTokens: 100,
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 },
  key: "example",
});
console.log(text.trim());
console.log(
  `${tokens.length} tokens in ${speculation.blocks} passes, ${speculation.accepted} of them drafted`,
);
branch.drop();
