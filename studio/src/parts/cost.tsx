/** What the run cost so far, by role, against what the target alone would have cost for the same answer. */
import type { LedgerData } from "../../../src/core/ledger.js";
import type { Alone } from "../reading/views.js";
import { metric, seconds } from "../words.js";

const roles = ["draft", "target", "reward"] as const;

interface CostProps {
  readonly ledger: LedgerData;
  readonly alone: Alone | null;
  readonly live: boolean;
}

export function Cost({ ledger, alone, live }: CostProps) {
  const { flops } = ledger.total;
  const widest = Math.max(flops, alone?.flops ?? 0, 1);
  const factor = alone && alone.flops > 0 ? flops / alone.flops : null;
  return (
    <section class="panel cost" aria-label="Cost">
      <h2>Cost {live && <span class="soft">so far</span>}</h2>
      {factor !== null && (
        <p class="cost-factor">
          <strong>{factor.toPrecision(2)} ×</strong> <span class="soft">the target alone</span>
        </p>
      )}
      <Meter label="this run" value={`${metric(flops)} FLOPs`}>
        {roles.map((role) => {
          const own = ledger[role]?.flops ?? 0;
          if (own === 0) return null;
          return (
            <span
              key={role}
              class={`fill ${role}`}
              style={{ width: `${(100 * own) / widest}%` }}
              title={`${role}: ${metric(own)} FLOPs`}
            />
          );
        })}
      </Meter>
      {alone && (
        <Meter label="target alone, about" value={`${metric(alone.flops)} FLOPs`}>
          <span class="fill alone" style={{ width: `${(100 * alone.flops) / widest}%` }} />
        </Meter>
      )}
      <Ledger ledger={ledger} />
    </section>
  );
}

function Meter({
  label,
  value,
  children,
}: {
  label: string;
  value: string;
  children: preact.ComponentChildren;
}) {
  return (
    <div class="meter">
      <div class="meter-words">
        <span>{label}</span>
        <span class="figure">{value}</span>
      </div>
      <div class="meter-bar" aria-hidden="true">
        {children}
      </div>
    </div>
  );
}

function Ledger({ ledger }: { readonly ledger: LedgerData }) {
  const shown = roles.filter((role) => ledger[role]);
  return (
    <table class="ledger">
      <thead>
        <tr>
          <th scope="col">
            <span class="unseen">role</span>
          </th>
          <th scope="col">calls</th>
          <th scope="col">read</th>
          <th scope="col">written</th>
          <th scope="col">FLOPs</th>
        </tr>
      </thead>
      <tbody>
        {shown.map((role) => {
          const { calls, prefillTokens, decodeTokens, discardedTokens, flops } = ledger[role]!;
          return (
            <tr key={role}>
              <th scope="row">
                <i class={`key ${role}`} aria-hidden="true" />
                {role}
              </th>
              <td>{calls.toLocaleString("en")}</td>
              <td>{prefillTokens.toLocaleString("en")}</td>
              <td title={discardedTokens > 0 ? `${discardedTokens} of them thrown away` : undefined}>
                {decodeTokens.toLocaleString("en")}
                {discardedTokens > 0 && <small> −{discardedTokens.toLocaleString("en")}</small>}
              </td>
              <td>{flops === 0 ? "–" : metric(flops)}</td>
            </tr>
          );
        })}
      </tbody>
      {ledger.total.seconds > 0 && (
        <tfoot>
          <tr>
            <th scope="row">time</th>
            <td colSpan={4}>{seconds(ledger.total.seconds)}</td>
          </tr>
        </tfoot>
      )}
    </table>
  );
}
