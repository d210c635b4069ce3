/** Sessions of drafters that look into tables and keep nothing of a branch. */
import type { DraftTree } from "../../core/draft-tree.js";
import type { DraftRequest, DraftSession, Verified } from "../../core/speculation.js";

export interface Table {
  propose(request: DraftRequest): DraftTree;
  learn?(verified: Verified): void;
}

export function tableSession(table: Table): DraftSession {
  return {
    propose: async (request) => ({ tree: table.propose(request) }),
    ...(table.learn && { learn: (verified: Verified) => table.learn!(verified) }),
    fork: () => tableSession(table),
    drop() {},
  };
}
