/** How large a served model is: what FLOPs are reckoned by. Told by the server, by the reference, or refused. */
import { StepwrightError } from "../../core/errors.js";
import type { ModelSize } from "../../core/model.js";

/** What a server tells about its model; whatever it does not tell is undefined. */
export interface ToldSize {
  readonly parameters?: number | undefined;
  readonly width?: number | undefined;
  readonly vocabulary?: number | undefined;
  readonly context?: number | undefined;
  readonly bytes?: number | undefined;
}

/** What the reference says: `?parameters=1.5e9&layers=28&width=1536`. */
export interface GivenSize {
  readonly parameters?: number | undefined;
  readonly layers?: number | undefined;
  readonly width?: number | undefined;
  readonly context?: number | undefined;
}

/** Larger than any vocabulary: stands for one that is not known. */
const unknownVocabulary = 2 ** 20;

/**
 * What is given wins over what is told. Without layers or width they are estimated from the parameters, as those of a
 * transformer whose layers hold 12 x width^2 parameters and whose width is 128 for each layer up to 1024 (the usual
 * shape); only the attention's share of the FLOPs, a few percent at short contexts, hangs on them. All parameters count
 * as multiplied: an upper bound, by the input embedding's share where it is not the output matrix too. Throws
 * `invalid-option` where nobody says how many parameters there are.
 */
export function remoteSize(name: string, told: ToldSize, given: GivenSize): ModelSize {
  const parameters = given.parameters ?? told.parameters;
  if (parameters === undefined) {
    throw new StepwrightError("invalid-option", `the server does not say how large ${name} is`, {
      subject: name,
      remedy:
        "write it into the reference, http://host/v1?parameters=1.5e9&layers=28&width=1536#model, or name the same model's file: ?like=model.gguf",
    });
  }
  const guessed = Math.cbrt((parameters * 128) / 12);
  const width = given.width ?? told.width ?? Math.max(1, Math.round(guessed));
  const inLayers = Math.max(parameters - (told.vocabulary ?? 0) * width, parameters / 2);
  const layers = given.layers ?? Math.max(1, Math.round(inLayers / (12 * width ** 2)));
  return {
    parameters,
    multiplied: parameters,
    layers,
    attentionWidth: width,
    vocabulary: told.vocabulary ?? unknownVocabulary,
    context: Math.min(given.context ?? Number.POSITIVE_INFINITY, told.context ?? 4096),
    bytes: told.bytes ?? parameters * 2,
  };
}
