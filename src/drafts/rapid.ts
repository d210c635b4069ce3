import { z } from "zod";
import { defineDrafter } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { chainKinds, draftChain } from "./shared/draft-chain.js";
import { chainDraws, headOption } from "./shared/options.js";
import { openReader } from "./shared/reader-sessions.js";
import { checkedReader } from "./shared/resources.js";
import { shortContext } from "./shared/short-context.js";

export default defineDrafter({
  name: "rapid",
  essence:
    "a chain that a model writes which has read only the parts of a long prompt that its end asks about",
  source:
    "Chen et al., RAPID, ICML 2025, arXiv 2502.20330; of it the drafting, which loses nothing; the paper's shift of the target's law towards the draft's does (card rapid) and is no part of this",
  shape: "chain",
  proposals: ["point", "independent"],
  needsDraft: false,
  cost: "one pass of the model per drafted token, over a short text; without a draft model the target itself drafts",
  use: "prompts of many thousand tokens, where reading back what was said costs more than the weights",
  schema: z.object({
    chunk: z
      .int()
      .min(8)
      .max(4096)
      .default(128)
      .describe("tokens of a part that is kept or left out as a whole"),
    context: z.int().min(16).max(65_536).default(512).describe("tokens of the parts that are kept, together"),
    lead: z
      .int()
      .min(0)
      .max(4096)
      .default(32)
      .describe("tokens at the prompt's beginning that are always kept"),
    query: z
      .int()
      .min(8)
      .max(4096)
      .default(96)
      .describe("tokens at the prompt's end that are always kept, and say what the parts must be like"),
    similarity: z.number().min(0).max(1).default(0).describe("least similarity of a part, as a cosine"),
    ...chainDraws,
    ...headOption,
  }),
  async open({ target, draft }, { draws, head, ...options }) {
    const model = checkedReader(draft ?? target, target, "rapid");
    const settings = { draws, head, origin: "rapid" };
    return openReader(model, chainKinds(draws), (tokens, prompt) => {
      const length = prompt?.tokens.length ?? tokens.length;
      let short: readonly Token[] | undefined;
      return {
        view: (text) => (short && text.length >= length ? [...short, ...text.slice(length)] : text),
        async propose(reader, request) {
          short ??= await shortContext(target, request.tokens.slice(0, length), options);
          return draftChain(reader, request, settings, model.endTokens);
        },
      };
    });
  },
});
