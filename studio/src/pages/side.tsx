/** Two runs beside each other: where they part, and what each cost. */
import { useEffect, useState } from "preact/hooks";
import { useRunList } from "../api/use-run-list.js";
import { Cost } from "../parts/cost.js";
import { Problem } from "../parts/problem.js";
import { shortAnswer } from "../parts/run-panels.js";
import { Steps } from "../parts/steps.js";
import { Strip } from "../parts/strip.js";
import type { Source } from "../reading/protocol.js";
import { useRun } from "../reading/use-run.js";
import type { RunView } from "../reading/views.js";
import { adjust, linkTo } from "../route.js";
import { metric, visible } from "../words.js";

type SideName = "left" | "right";
type Views = Readonly<Partial<Record<SideName, RunView>>>;

export function Side({ query }: { readonly query: URLSearchParams }) {
  const chosen = { left: query.get("left"), right: query.get("right") };
  const [views, setViews] = useState<Views>({});
  const choose = (side: SideName, id: string) => {
    setViews((before) => ({ ...before, [side]: undefined }) as Views);
    adjust(["side"], { left: chosen.left ?? undefined, right: chosen.right ?? undefined, [side]: id });
  };
  return (
    <div class="page wide">
      <h1>Side by side</h1>
      {views.left && views.right && <Parting left={views.left} right={views.right} />}
      <div class="columns">
        {(["left", "right"] as const).map((side) =>
          chosen[side] ? (
            <Column
              key={`${side} ${chosen[side]}`}
              id={chosen[side]}
              name={side}
              onChoose={choose}
              onView={(view) => setViews((before) => ({ ...before, [side]: view }))}
            />
          ) : (
            <Pick
              key={side}
              name={side}
              like={chosen[side === "left" ? "right" : "left"]}
              onChoose={choose}
            />
          ),
        )}
      </div>
    </div>
  );
}

/** Where the two part, whether they come to the same answer, and what the one costs of the other. */
function Parting({ left, right }: { readonly left: RunView; readonly right: RunView }) {
  const same = left.started?.question === right.started?.question;
  if (!left.end || !right.end) return null;
  if (!same) return <p class="notice open">These are runs of different questions.</p>;
  const [one, other] = [left.end.text.trim(), right.end.text.trim()];
  const [first, second] = [left, right].map(({ end }) => shortAnswer(end!.text)) as [string, string];
  const flops = right.ledger.total.flops > 0 ? left.ledger.total.flops / right.ledger.total.flops : null;
  const step = left.steps.findIndex(({ text }, index) => text !== right.steps[index]?.text);
  const cost =
    flops === null ? "" : ` The left one costs ${flops.toPrecision(2)} × the FLOPs of the right one.`;
  const words =
    one === other
      ? "Word for word the same text."
      : `${first === second ? "The same answer" : "Different answers"}, in other words${step >= 0 ? ` from step ${step + 1} on` : ""}.`;
  return (
    <p class={`notice ${first === second ? "good" : "open"}`}>
      {words}
      {cost}
    </p>
  );
}

/** "trace:ID" names a file, anything else a run of the server. */
function sourceOf(id: string): Source {
  return id.startsWith("trace:") ? { kind: "trace", id: id.slice(6) } : { kind: "run", id };
}

interface ColumnProps {
  readonly id: string;
  readonly name: SideName;
  onChoose(side: SideName, id: string): void;
  onView(view: RunView): void;
}

const stepsAtOnce = 100;

function Column({ id, name, onChoose, onView }: ColumnProps) {
  const source = sourceOf(id);
  const { state, view } = useRun(source, { from: 0, count: stepsAtOnce, tokens: false });
  useEffect(() => {
    if (view?.started) onView(view);
  }, [view]);
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
  name: SideName;
  like: string | null;
  onChoose(side: SideName, id: string): void;
}) {
  const { entries } = useRunList();
  const question = entries.find((entry) => entry.name === like)?.question;
  const ranked = entries
    .filter((entry) => entry.name !== like)
    .sort((a, b) => Number(b.question === question) - Number(a.question === question));
  return (
    <section class="column pick" aria-label={`choose the ${name} run`}>
      <h2>Choose a run</h2>
      {ranked.length === 0 && <p class="soft">There is none yet.</p>}
      <ul class="run-list">
        {ranked.slice(0, 60).map((entry) => (
          <li key={entry.name}>
            <button type="button" class="run-item" data-item onClick={() => onChoose(name, entry.name)}>
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
