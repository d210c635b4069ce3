/** The greatest tree, as most controllers take it. */
import { z } from "zod";

export const shapeOptions = {
  nodes: z.int().min(1).max(256).optional().describe("most drafts in a tree; default: as many as it is deep"),
  depth: z.int().min(1).max(64).default(5).describe("most drafts in a row"),
};

export function shapeOf({ nodes, depth }: { readonly nodes?: number | undefined; readonly depth: number }) {
  return { nodes: nodes ?? depth, depth };
}
