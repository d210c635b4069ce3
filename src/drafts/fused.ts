import { z } from "zod";
import { addUsage, type Usage } from "../core/model.js";
import { type Draft, type DraftRequest, type DraftSession, defineDrafter } from "../core/speculation.js";
import { fuse } from "./shared/fuse.js";
import { openNamed, SessionGroup, together } from "./shared/other-drafters.js";

export default defineDrafter({
  name: "fused",
  essence: "the drafts of several drafters in one tree",
  source: "Quan et al., RASD, arXiv 2503.03434, fusion by longest prefix; card rasd",
  shape: "tree",
  proposals: ["point", "independent", "without-replacement"],
  needsDraft: false,
  cost: "what its drafters cost together; the nodes are shared out evenly, and what one leaves the next may use",
  use: "texts that copy in places and go their own way in others",
  schema: z.object({
    drafters: z
      .string()
      .min(1)
      .default("lookup+suffix")
      .describe("drafters with + between them, each with its options as name?option=value"),
  }),
  async open(resources, { drafters }) {
    const opened = await Promise.all(drafters.split("+").map((text) => openNamed(text, resources)));
    return {
      ...together(opened),
      begin: (tokens, prompt) =>
        new SessionGroup(
          opened.map((each) => each.begin(tokens, prompt)),
          proposeTogether,
        ),
    };
  },
});

async function proposeTogether(sessions: readonly DraftSession[], request: DraftRequest): Promise<Draft> {
  const drafts: Draft[] = [];
  let left = request.nodes;
  for (const [index, session] of sessions.entries()) {
    const nodes = Math.ceil(left / (sessions.length - index));
    if (nodes < 1) break;
    const draft = await session.propose({ ...request, nodes });
    left -= draft.tree.size;
    drafts.push(draft);
  }
  const usage = drafts.reduce<Usage | undefined>(
    (sum, { usage }) => (sum && usage ? addUsage(sum, usage) : (sum ?? usage)),
    undefined,
  );
  const tree = fuse(
    drafts.map((draft) => draft.tree),
    request.nodes,
  );
  return { tree, ...(usage && { usage }) };
}
