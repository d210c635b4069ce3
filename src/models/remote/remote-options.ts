/** What a remote reference may say about its model, between `?` and `#`. */
import { z } from "zod";

const count = z.coerce.number().int().min(1).max(1e15);

export const remoteOptionsSchema = z.strictObject({
  /** All parameters, `1.5e9`. */
  parameters: count.optional(),
  layers: count.max(10_000).optional(),
  /** Attention heads times head size. */
  width: count.max(1e6).optional(),
  /** Tokens of one sequence, where fewer than the server allows. */
  context: count.max(1e9).optional(),
  /** A model file or its reference, whose size this model has too. */
  like: z.string().min(1).max(1024).optional(),
  /** How the server continues an answer on the chat route. */
  continue: z.enum(["final", "implicit", "none"]).optional(),
});

export type RemoteOptions = Readonly<z.output<typeof remoteOptionsSchema>>;
