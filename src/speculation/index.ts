/** Token-level speculation: `stepwright/speculation`. */
export { rules } from "../accept/index.js";
export {
  type DraftNode,
  type DraftRow,
  DraftTree,
  type Proposal,
  pointProposal,
  root,
} from "../core/draft-tree.js";
export { ResidualLaw } from "../core/residual-law.js";
export type { SparseLaw } from "../core/sparse-law.js";
export {
  type AcceptanceRule,
  type Controller,
  type Draft,
  type Drafted,
  type Drafter,
  type DraftRequest,
  type DraftResources,
  type DraftSession,
  defineController,
  defineDrafter,
  defineRule,
  type OpenController,
  type OpenDrafter,
  type OpenRule,
  type Place,
  type Verified,
} from "../core/speculation.js";
export { drafters } from "../drafts/index.js";
export { controllers } from "./controllers/index.js";
export { checkSameVocabulary } from "./same-vocabulary.js";
export { type Choice, type SpeculateOptions, speculate } from "./speculate.js";
export { SpeculatingModel } from "./speculating-model.js";
