/** Texts to token ids and back, as llama-server and vLLM name the fields. */
import { Hono } from "hono";
import { z } from "zod";
import type { Model } from "../../core/model.js";
import { ApiError } from "../api-error.js";
import { readJsonObject } from "../body.js";
import { modelNotFound } from "../model-not-found.js";
import { parseFields } from "../request/issue.js";
import { plainText } from "../request/text.js";
import type { ServedModels, ServerApp, ServerContext, ServerEnvironment } from "../types.js";
import type { Served } from "./served.js";

const tokenizeSchema = z.object({
  model: z.string(),
  content: plainText.optional(),
  prompt: plainText.optional(),
  messages: z
    .array(z.object({ role: z.enum(["system", "user", "assistant"]), content: plainText }))
    .min(1)
    .optional(),
});

const detokenizeSchema = z.object({
  model: z.string(),
  tokens: z.array(z.int().min(0)).max(131_072),
  /** The text of each token alone, too. */
  pieces: z.boolean().default(false),
});

export function tokenRoutes({ models, limits }: Served): ServerApp {
  const app = new Hono<ServerEnvironment>();
  const tokenize = async (c: ServerContext) => {
    const {
      model: name,
      content,
      prompt,
      messages,
    } = parseFields(tokenizeSchema, await readJsonObject(c.env.incoming, limits));
    const model = writerOf(models, name);
    const text = content ?? prompt;
    if ((text === undefined) === (messages === undefined)) {
      throw new ApiError(400, "invalid_value", "one of content (or prompt) and messages is needed", {
        param: "content",
      });
    }
    const tokens = messages ? (await model.renderChat(messages)).tokens : await model.tokenize(text!);
    return c.json({ tokens, count: tokens.length, max_model_len: model.size.context });
  };
  const detokenize = async (c: ServerContext) => {
    const body = await readJsonObject(c.env.incoming, limits);
    const { model: name, tokens, pieces } = parseFields(detokenizeSchema, body);
    const model = writerOf(models, name);
    const unknown = tokens.findIndex((token) => token >= model.size.vocabulary);
    if (unknown >= 0) {
      const message = `tokens: ${tokens[unknown]} is not in the vocabulary`;
      throw new ApiError(400, "invalid_value", message, { param: `tokens[${unknown}]` });
    }
    const text = await model.detokenize(tokens);
    return c.json({
      content: text,
      prompt: text,
      vocabulary: model.vocabulary,
      ...(pieces && { pieces: await Promise.all(tokens.map((token) => model.detokenize([token]))) }),
    });
  };
  for (const prefix of ["", "/v1"]) {
    app.post(`${prefix}/tokenize`, tokenize);
    app.post(`${prefix}/detokenize`, detokenize);
  }
  return app;
}

/** The model that decides on the answer's text: the target where the method has one. */
function writerOf(models: ServedModels, name: string): Model {
  const preset = models.find(name);
  if (!preset) throw modelNotFound(name);
  const { needs } = preset.method;
  const pair = models.pair(preset.pair);
  const model = needs.target ? pair.target : pair.draft;
  if (model) return model;
  throw new ApiError(400, "missing_role", "this pair has no such model", { param: "model" });
}
