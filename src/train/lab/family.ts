import type { ModelFamily } from "../model-recipe.js";

/** The lab's models in the order of training. */
export const labFamily: ModelFamily = {};
