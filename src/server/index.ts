/** The OpenAI-compatible server, as a library: `startServer` over models opened by `serveModels`. */
export { ApiError, type ApiErrorBody } from "./api-error.js";
export type { StudioParts } from "./app.js";
export { type HttpLimits, type ServerLimits, type ServiceLimits, serverLimitsSchema } from "./limits.js";
export { type PairSource, type ServedModelsOptions, serveModels } from "./models.js";
export { type RunningServer, type ServerOptions, startServer } from "./server.js";
export type { Pair, Preset, ServedModels, ServerApp, ServerContext, ServerEnvironment } from "./types.js";
