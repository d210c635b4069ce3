/** A whole server: access, routes, runs behind them, and the socket before them. */
import { StepwrightError } from "../core/errors.js";
import { Access, isLoopback } from "./access.js";
import { createApp, type StudioParts } from "./app.js";
import { type ServerLimits, serverLimitsSchema } from "./limits.js";
import { type Listening, listen } from "./listen.js";
import { type LiveRunService, openRunService } from "./runs/index.js";
import type { ServedModels } from "./types.js";

export interface ServerOptions {
  /** The server disposes of them when it closes. */
  readonly models: ServedModels;
  /** Default: loopback. */
  readonly host?: string;
  /** Default 8080; 0 takes any free one. */
  readonly port?: number;
  /** Needed to listen beyond loopback. */
  readonly keys?: readonly string[];
  readonly origins?: readonly string[];
  readonly hosts?: readonly string[];
  readonly limits?: { readonly [Name in keyof ServerLimits]?: ServerLimits[Name] | undefined };
  /** Where runs are kept; null keeps none. */
  readonly folder: string | null;
  readonly studio?: StudioParts | undefined;
  /** Told what went wrong inside; never what was asked. */
  readonly onNotice?: (notice: string) => void;
}

export interface RunningServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly service: LiveRunService;
  readonly limits: ServerLimits;
  /** Takes nothing new, lets what runs finish within the limit, then ends. */
  stop(): Promise<void>;
}

/** Throws `invalid-option`, `server-failed`, `locked` or `storage-failed` before anything is served. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { models, host = "127.0.0.1", port = 8080, keys = [], origins = [], hosts = [] } = options;
  const { folder, studio, onNotice = () => {} } = options;
  if (keys.length === 0 && !isLoopback(host)) {
    throw new StepwrightError(
      "invalid-option",
      `without a key the server only listens on this machine, not on ${host}`,
      {
        subject: "--host",
        remedy: "give a key (--api-key, or STEPWRIGHT_API_KEY), or listen on 127.0.0.1",
      },
    );
  }
  const limits = serverLimitsSchema.parse(options.limits ?? {});
  const { wrongKeysPerMinute } = limits;
  const access = new Access({ host, keys, origins, hosts, wrongKeysPerMinute });
  const service = await openRunService({ models, limits, folder, onNotice });
  const onFailure = (id: string, error: unknown) => onNotice(`request ${id} failed: ${whereOf(error)}`);
  const app = createApp({ models, service, limits, access, studio, onFailure });
  let listening: Listening;
  try {
    listening = await listen(app, { host, port, limits });
  } catch (error) {
    await service[Symbol.asyncDispose]();
    throw error;
  }
  const close = async () => {
    await service[Symbol.asyncDispose]();
    await listening.close();
    await models[Symbol.asyncDispose]();
  };
  return {
    url: listening.url,
    port: listening.port,
    service,
    limits,
    stop: async () => {
      await service.drain(limits.drainSeconds);
      await close();
    },
    [Symbol.asyncDispose]: close,
  };
}

/** The kind of an error and where it was thrown: its message may hold what was asked. */
function whereOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return typeof cause;
  const frame = /^ +at (?:.*\()?(?:file:\/\/)?(?:.*\/)?([\w.-]+:\d+):\d+\)?$/m.exec(cause.stack ?? "")?.[1];
  const code = StepwrightError.is(cause) ? ` ${cause.code}` : "";
  return `${cause.name}${code}${frame === undefined ? "" : ` at ${frame}`}`;
}
