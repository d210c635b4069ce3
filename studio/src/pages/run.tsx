/** One run, live or recorded. */
import { useEffect, useState } from "preact/hooks";
import { Cost } from "../parts/cost.js";
import { EventList } from "../parts/event-list.js";
import { Problem } from "../parts/problem.js";
import { Replay } from "../parts/replay.js";
import { askedAs, RunHead } from "../parts/run-head.js";
import { Answer, Settings } from "../parts/run-panels.js";
import { Steps } from "../parts/steps.js";
import { Strip } from "../parts/strip.js";
import { Tree } from "../parts/tree.js";
import { usePieces } from "../parts/use-pieces.js";
import type { Source } from "../reading/protocol.js";
import { type Reading, useRun } from "../reading/use-run.js";
import type { RunView } from "../reading/views.js";
import { adjust, go, linkTo } from "../route.js";
import { visible } from "../words.js";

const tabs = [
  ["steps", "Steps"],
  ["tokens", "Tokens"],
  ["tree", "Tree"],
  ["replay", "Replay"],
  ["records", "Records"],
] as const;

const stepsAtOnce = 200;

interface RunPageProps {
  readonly source: Source;
  readonly base: readonly string[];
  readonly tab: string | undefined;
  readonly query: URLSearchParams;
}

export function RunPage({ source, base, tab: wantedTab, query }: RunPageProps) {
  const tab = tabs.find(([name]) => name === wantedTab)?.[0] ?? "steps";
  const [from, setFrom] = useState(0);
  const reading = useRun(source, { from, count: stepsAtOnce, tokens: tab === "tokens" });
  const { state, view } = reading;
  if (state.kind === "refused" && !view?.started) {
    return (
      <div class="page">
        <h1>This run cannot be shown</h1>
        <Problem problem={state} />
        <p>
          <a href="#/runs">To the runs</a>
        </p>
      </div>
    );
  }
  if (!view?.started) {
    const words = source.kind === "run" ? "Waiting for the run to begin …" : "Reading …";
    return <p class="page soft loading">{words}</p>;
  }
  const live = state.kind === "live" || state.kind === "waiting";
  return (
    <div class="page run">
      <RunHead reading={reading} view={view} source={source} />
      {state.kind === "refused" && <Problem problem={state} />}
      {state.kind === "waiting" && (
        <p class="notice open" role="status">
          The connection is lost ({state.reason}); trying again.
        </p>
      )}
      {view.notices.map((notice) => (
        <p key={notice} class="notice open">
          {visible(notice)}
        </p>
      ))}
      <nav class="tabs" aria-label="Views of the run">
        {tabs.map(([name, words]) => (
          <a
            key={name}
            data-tab
            href={linkTo([...base, name])}
            aria-current={name === tab ? "page" : undefined}
          >
            {words}
          </a>
        ))}
      </nav>
      <div class={tab === "steps" || tab === "tokens" ? "run-columns" : "run-wide"}>
        <div class="run-main">
          <Body
            tab={tab}
            reading={reading}
            view={view}
            live={live}
            base={base}
            query={query}
            source={source}
            move={setFrom}
          />
        </div>
        {(tab === "steps" || tab === "tokens") && (
          <aside class="run-side">
            <Answer view={view} live={live} />
            <Cost ledger={view.ledger} alone={view.alone} live={live} />
            <Settings view={view} />
          </aside>
        )}
      </div>
    </div>
  );
}

interface BodyProps {
  readonly tab: (typeof tabs)[number][0];
  readonly reading: Reading;
  readonly view: RunView;
  readonly live: boolean;
  readonly base: readonly string[];
  readonly query: URLSearchParams;
  readonly source: Source;
  move(from: number): void;
}

function Body({ tab, reading, view, live, base, query, source, move }: BodyProps) {
  const pieces = usePieces(tab === "tokens" && source.kind === "run" ? view : null);
  switch (tab) {
    case "steps":
    case "tokens":
      return (
        <>
          <Strip parts={view.strip} />
          {tab === "tokens" && <SurenessKey />}
          <Steps view={view} live={live} pieces={pieces} window={{ count: stepsAtOnce, move }} />
        </>
      );
    case "tree":
      return (
        <TreeTab
          reading={reading}
          focus={query.get("from")}
          onFocus={(id) => adjust([...base, "tree"], { from: id ?? undefined })}
        />
      );
    case "replay":
      return (
        <Replay
          reading={reading}
          at={query.get("threshold")}
          onMove={(value) => adjust([...base, "replay"], { threshold: String(value) })}
          askAnew={
            source.kind === "run"
              ? (options) => go(["ask"], { ...askedAs(source.id, view), options: JSON.stringify(options) })
              : null
          }
        />
      );
    case "records":
      return <EventList reading={reading} />;
  }
}

function TreeTab({
  reading,
  focus,
  onFocus,
}: {
  reading: Reading;
  focus: string | null;
  onFocus(id: string | null): void;
}) {
  const { ask, tops, records } = reading;
  useEffect(() => ask({ ask: "tree", focus }), [ask, focus, records]);
  if (!tops) return <p class="soft">Reading …</p>;
  if (tops.length === 0) return <p class="soft">No step has been written yet.</p>;
  return <Tree tops={tops} focus={focus} onFocus={onFocus} />;
}

function SurenessKey() {
  return (
    <p class="token-key soft">
      <span>How likely the writer found its token:</span>
      {["over 95 %", "over 80", "over 50", "over 20", "less"].map((words, index) => (
        <span key={words}>
          <i class={`token sure-${index}`} aria-hidden="true" /> {words}
        </span>
      ))}
    </p>
  );
}
