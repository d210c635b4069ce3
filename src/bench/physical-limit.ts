/** How near a row came to what the machine can do: bytes against read bandwidth, FLOPs against the multiply rate. */
import type { RoleSpending } from "../core/ledger.js";
import type { ModelSize } from "../core/model.js";
import type { Role } from "../core/search.js";
import type { Spending } from "./spending.js";

/** What `calibrate` measured for one role's model. */
export interface RoleRates {
  /** Effective multiply rate in FLOP/s of this file on this machine, at its best batch. */
  readonly flopsPerSecond: number;
  /** Seconds of a pass of one token, and per token of a long read. */
  readonly writeSeconds: number;
  readonly readSeconds: number;
  /** Bytes of keys and values for one token of context. */
  readonly cacheBytesPerToken: number;
}

export interface MachineRates {
  /** Bytes per second that can be read from memory. */
  readonly bandwidth: number;
  readonly roles: Readonly<Partial<Record<Role, RoleRates>>>;
}

export type RoleSizes = Readonly<Partial<Record<Role, ModelSize>>>;

/** What is known of models and machine. */
export interface PhysicalFacts {
  readonly sizes: RoleSizes;
  readonly rates?: MachineRates | undefined;
}

export interface PhysicalFigures {
  /**
   * Weights read and, once calibrated, the cache before written tokens. Null where a back end does not tell how often
   * it read its weights.
   */
  readonly bytesMoved: number | null;
  /** phi_mem and phi_cmp: shares of the read bandwidth and of the multiply rate over the row's wall seconds. Null without calibration. */
  readonly memoryFraction: number | null;
  readonly computeFraction: number | null;
  /** Seconds that the calibration gives for the tokens that were counted, one after another. Null without it. */
  readonly expectedSeconds: number | null;
}

const roles = ["draft", "target", "reward"] as const;

export function physicalFigures(
  { roles: spent, seconds }: Spending,
  { sizes, rates }: PhysicalFacts,
): PhysicalFigures {
  const active = roles.filter((role) => (spent[role]?.flops ?? 0) > 0);
  const bytesMoved = addUp(active, (role) =>
    bytesOf(spent[role]!, sizes[role], rates?.roles[role]?.cacheBytesPerToken),
  );
  const busy = addUp(active, (role) => {
    const rate = rates?.roles[role];
    return rate && spent[role]!.flops / rate.flopsPerSecond;
  });
  const expectedSeconds = addUp(active, (role) => {
    const rate = rates?.roles[role];
    const { decodeTokens, prefillTokens } = spent[role]!;
    return rate && decodeTokens * rate.writeSeconds + prefillTokens * rate.readSeconds;
  });
  const hasTime = rates !== undefined && seconds > 0;
  return {
    bytesMoved,
    memoryFraction: hasTime && bytesMoved !== null ? bytesMoved / (seconds * rates.bandwidth) : null,
    computeFraction: hasTime && busy !== null ? busy / seconds : null,
    expectedSeconds,
  };
}

/** Null as soon as one part is not known: a sum that leaves something out would look like a saving. */
function addUp(active: readonly Role[], part: (role: Role) => number | undefined): number | null {
  let sum = 0;
  for (const role of active) {
    const value = part(role);
    if (value === undefined) return null;
    sum += value;
  }
  return active.length === 0 ? null : sum;
}

function bytesOf(
  spent: RoleSpending,
  size: ModelSize | undefined,
  cacheBytesPerToken = 0,
): number | undefined {
  if (!size || spent.weightReads === undefined) return undefined;
  const tokens = spent.prefillTokens + spent.decodeTokens;
  const perPosition = 4 * size.layers * size.attentionWidth;
  // What FLOPs grow by with the position gives the mean position.
  const position =
    perPosition === 0 ? 0 : (spent.flops - 2 * size.multiplied * tokens) / perPosition / tokens;
  const cache = cacheBytesPerToken * Math.max(0, position) * spent.decodeTokens;
  return spent.weightReads * size.bytes + cache;
}
