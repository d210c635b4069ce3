/** Everything behind a request that has been checked: queue, runs, storage, streams, metrics. */
export { type StreamOptions, streamResponse } from "./event-stream.js";
export { runRoutes } from "./routes.js";
export { type LiveRunService, openRunService, type RunServiceOptions } from "./run-service.js";
