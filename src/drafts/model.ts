import { z } from "zod";
import { defineDrafter } from "../core/speculation.js";
import { chainKinds, draftChain } from "./shared/draft-chain.js";
import { chainDraws, headOption } from "./shared/options.js";
import { openReader } from "./shared/reader-sessions.js";
import { neededDraft } from "./shared/resources.js";

export default defineDrafter({
  name: "model",
  essence: "a chain that the draft model writes",
  source: "Leviathan et al., arXiv 2211.17192; Chen et al., arXiv 2302.01318; card speculative-sampling, A",
  shape: "chain",
  proposals: ["point", "independent"],
  needsDraft: true,
  cost: "one pass of the draft model per drafted token",
  use: "any text, with a draft that costs a small part of the target and often agrees with it",
  schema: z.object({ ...chainDraws, ...headOption }),
  async open(resources, options) {
    const model = neededDraft(resources, "model");
    const settings = { ...options, origin: "model" };
    return openReader(model, chainKinds(options.draws), () => ({
      propose: (reader, request) => draftChain(reader, request, settings, model.endTokens),
    }));
  },
});
