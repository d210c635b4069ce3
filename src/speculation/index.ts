export { controllers } from "./controllers/index.js";
export { checkSameVocabulary } from "./same-vocabulary.js";
export { type Choice, type SpeculateOptions, speculate } from "./speculate.js";
export { SpeculatingModel } from "./speculating-model.js";
