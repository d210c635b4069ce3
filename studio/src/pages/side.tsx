/** Two runs beside each other: where they part, and what each cost. */
import type { RunSummary } from "../api/types.js";
import { useJson } from "../api/use-json.js";
import { Cost } from "../parts/cost.js";
import { Problem } from "../parts/problem.js";
import { Steps } from "../parts/steps.js";
import { Strip } from "../parts/strip.js";
import type { Source } from "../reading/protocol.js";
import { useRun } from "../reading/use-run.js";
import { adjust, linkTo } from "../route.js";
import { metric, visible } from "../words.js";
import { shortAnswer } from "./run.js";

export function Side({ query }: { readonly query: URLSearchParams }) {
  const [left, right] = [query.get("left"), query.get("right")];
  const choose = (side: string, id: string) =>
    adjust(["side"], { left: left ?? undefined, right: right ?? undefined, [side]: id });
  return (
    <div class="page wide">
      <h1>Side by side</h1>
      <div class="columns">
        {left ? (
          <Column key={left} id={left} other={right} name="left" onChoose={choose} />
        ) : (
          <Pick name="left" like={right} onChoose={choose} />
        )}
        {right ? (
          <Column key={right} id={right} other={left} name="right" onChoose={choose} />
        ) : (
          <Pick name="right" like={left} onChoose={choose} />
        )}
      </div>
    </div>
  );
}

/** "trace:ID" names a file, anything else a run of the server. */
function sourceOf(id: string): Source {
  return id.startsWith("trace:") ? { kind: "trace", id: id.slice(6) } : { kind: "run", id };
}

interface ColumnProps {
  readonly id: string;
  readonly other: string | null;
  readonly name: string;
  onChoose(side: string, id: string): void;
}

const stepsAtOnce = 100;

function Column({ id, name, onChoose }: ColumnProps) {
  const source = sourceOf(id);
  const { state, view } = useRun(source, { from: 0, count: stepsAtOnce, tokens: false });
  if (state.kind === "refused") {
    return (
      <section class="column" aria-label={name}>
        <Problem problem={state} />
        <button type="button" class="quiet" onClick={() => onChoose(name, "")}>
          choose another run
        </button>
      </section>
    );
  }
  if (!view?.started) return <section class="column soft">Reading …</section>;
  const { started, end } = view;
  const live = state.kind === "live" || state.kind === "waiting";
  const link =
    source.kind === "run"
      ? linkTo(["runs", source.id])
      : linkTo(["traces", source.kind === "trace" ? source.id : ""]);
  return (
    <section class="column" aria-label={`${name}: ${started.method}`}>
      <header class="column-head">
        <p class="soft column-question" dir="auto">
          {visible(started.question.slice(0, 240))}
        </p>
        <div class="column-line">
          <a class="chip method" href={link}>
            {started.method}
          </a>
          <span class="column-answer">
            {end ? visible(shortAnswer(end.text)) : <span class="soft">writing …</span>}
          </span>
          <span class="soft">{metric(view.ledger.total.flops)} FLOPs</span>
          <button type="button" class="quiet" onClick={() => onChoose(name, "")}>
            other run
          </button>
        </div>
      </header>
      <Strip parts={view.strip} />
      <Steps view={view} live={live} />
      <Cost ledger={view.ledger} alone={view.alone} live={live} />
    </section>
  );
}

/** Runs to choose from; those of the same question come first. */
function Pick({
  name,
  like,
  onChoose,
}: {
  name: string;
  like: string | null;
  onChoose(side: string, id: string): void;
}) {
  const runs = useJson<{ data: readonly RunSummary[] }>("/v1/runs?limit=200");
  const files = useJson<{
    traces: readonly { id: string; name: string; method?: string; question?: string }[];
  }>("/studio/files");
  const entries = [
    ...(runs.value?.data ?? []).map(({ id, method, question }) => ({ id, method, question })),
    ...(files.value?.traces ?? []).map(({ id, method, question, name: file }) => ({
      id: `trace:${id}`,
      method: method ?? "trace",
      question: question ?? file,
    })),
  ].filter(({ id }) => id !== like);
  const question =
    like &&
    [
      ...(runs.value?.data ?? []),
      ...(files.value?.traces ?? []).map((trace) => ({ ...trace, id: `trace:${trace.id}` })),
    ].find(({ id }) => id === like)?.question;
  const ranked = entries.toSorted(
    (a, b) => Number(b.question === question) - Number(a.question === question),
  );
  return (
    <section class="column pick" aria-label={`choose the ${name} run`}>
      <h2>Choose a run</h2>
      {ranked.length === 0 && <p class="soft">There is none yet.</p>}
      <ul class="run-list">
        {ranked.slice(0, 60).map((entry) => (
          <li key={entry.id}>
            <button type="button" class="run-item" data-item onClick={() => onChoose(name, entry.id)}>
              <span class="run-question" dir="auto">
                {visible(entry.question.slice(0, 160))}
              </span>
              <span class="run-line">
                <span class="chip method">{entry.method}</span>
                {entry.question === question && <span class="soft">the same question</span>}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
