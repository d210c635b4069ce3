/** What a run cost, as a table and a sentence. */
import type { LedgerData, RoleSpending } from "../core/ledger.js";
import type { Role } from "../core/search.js";
import { count, metric, percent, seconds } from "./numbers.js";
import type { Style } from "./style.js";
import { tableLines } from "./table.js";

const roles: readonly Role[] = ["draft", "target", "reward"];

export function ledgerLines(ledger: LedgerData, style: Style): string[] {
  const spent = roles.flatMap((role) => {
    const spending = ledger[role];
    return spending ? [{ role, spending }] : [];
  });
  const { total } = ledger;
  const figures = ["calls", "read", "written", "discarded", "FLOPs", "generated", "seconds"];
  const [title, ...lines] = tableLines(
    [{ title: "" }, ...figures.map((figure) => ({ title: figure, align: "right" }) as const)],
    [
      ...spent.map(({ role, spending }) => [role, ...spendingCells(spending)]),
      ["total", "", "", "", "", metric(total.flops), metric(total.generatedFlops), seconds(total.seconds)],
    ],
  );
  return [style.dim(title!), ...lines];
}

function spendingCells(spending: RoleSpending): string[] {
  return [
    count(spending.calls),
    count(spending.prefillTokens),
    count(spending.decodeTokens),
    count(spending.discardedTokens),
    metric(spending.flops),
    metric(spending.generatedFlops),
    seconds(spending.seconds),
  ];
}

/** What token-level speculation did, for each role that it wrote for. */
export function speculationSentences(ledger: LedgerData): string[] {
  return (["draft", "target"] as const).flatMap((role) => {
    const { speculation, decodeTokens } = ledger[role] ?? {};
    if (!speculation) return [];
    const { blocks, drafted, accepted } = speculation;
    if (drafted === 0) return [`Nothing was drafted for the ${role}: no draft was found.`];
    return [
      `For the ${role}, ${count(accepted)} of ${count(drafted)} drafted tokens (${percent(accepted / drafted)}) were accepted in ${count(blocks)} blocks, ${count(decodeTokens! - accepted)} of its ${count(decodeTokens!)} tokens took a pass of their own.`,
    ];
  });
}

/** Only what two writers can share is said. */
export function shareSentence({ draft, target }: LedgerData): string | undefined {
  if (!draft || !target || draft.decodeTokens === 0) return undefined;
  const keptDraft = draft.decodeTokens - draft.discardedTokens;
  const keptTarget = target.decodeTokens - target.discardedTokens;
  const kept = keptDraft + keptTarget;
  const accepted = `${percent(keptDraft / draft.decodeTokens)} of the draft's tokens were accepted`;
  return kept > 0
    ? `${accepted}, ${percent(keptTarget / kept)} of the answer's tokens are the target's.`
    : `${accepted}.`;
}
