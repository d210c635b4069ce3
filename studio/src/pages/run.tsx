/** One run, live or recorded. */
import { useEffect, useState } from "preact/hooks";
import { postJson, remove } from "../api/client.js";
import { Cost } from "../parts/cost.js";
import { EventList } from "../parts/event-list.js";
import { Problem } from "../parts/problem.js";
import { Replay } from "../parts/replay.js";
import { Steps } from "../parts/steps.js";
import { Strip } from "../parts/strip.js";
import { Tree } from "../parts/tree.js";
import { usePieces } from "../parts/use-pieces.js";
import type { Source } from "../reading/protocol.js";
import { type Reading, useRun } from "../reading/use-run.js";
import type { RunView } from "../reading/views.js";
import { adjust, go, linkTo } from "../route.js";
import { count, finishWords, visible } from "../words.js";

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
  if (!view?.started) return <p class="page soft loading">Reading …</p>;
  const live = state.kind === "live" || state.kind === "waiting";
  return (
    <div class="page run">
      <Head reading={reading} view={view} source={source} />
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

function Head({ reading, view, source }: { reading: Reading; view: RunView; source: Source }) {
  const { state, share } = reading;
  const { started, end } = view;
  const [stopping, setStopping] = useState(false);
  const [open, setOpen] = useState(false);
  const stop = async () => {
    if (source.kind !== "run") return;
    setStopping(true);
    await remove(`/v1/runs/${encodeURIComponent(source.id)}`).catch(() => setStopping(false));
  };
  // The server was stopped before the run was through.
  const isInterrupted = source.kind === "run" && state.kind === "done" && state.status === "interrupted";
  const goOn = async () => {
    if (source.kind !== "run") return;
    await postJson(`/v1/runs/${encodeURIComponent(source.id)}/resume`, {});
    reading.ask({ ask: "open", source });
  };
  const live = !end && (state.kind === "live" || state.kind === "waiting");
  const question = visible(started!.question.trim());
  const isLong = question.length > 320;
  return (
    <header class="run-head">
      <h1 dir="auto" class={isLong ? "long" : ""}>
        {isLong && !open ? `${question.slice(0, 300)}…` : question}
      </h1>
      {isLong && (
        <button type="button" class="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? "shorter" : "whole question"}
        </button>
      )}
      <div class="run-facts">
        <span class="chip method">{started!.method}</span>
        <Status view={view} reading={reading} />
        <span class="soft">{count(view.stepCount, "step")}</span>
        {view.nodes > view.stepCount && <span class="soft">of {count(view.nodes, "step")} written</span>}
        {state.kind === "reading" && share !== null && share < 1 && (
          <progress max="1" value={share} aria-label="read so far" />
        )}
        <span class="run-actions">
          {live && source.kind === "run" && (
            <button type="button" class="stop" disabled={stopping} onClick={stop}>
              {stopping ? "stopping …" : "Stop"}
            </button>
          )}
          {isInterrupted && (
            <button type="button" class="button" onClick={goOn}>
              Go on
            </button>
          )}
          {source.kind === "run" && (
            <>
              <a class="button" href={linkTo(["ask"], askedAs(source.id, view))}>
                Ask again
              </a>
              <a class="button" href={linkTo(["side"], { left: source.id })}>
                Side by side
              </a>
            </>
          )}
        </span>
      </div>
    </header>
  );
}

/** What the form needs to ask the same again; the rest it asks the server. */
function askedAs(id: string, { started }: RunView): Record<string, string> {
  const { sampling, maxTokens } = started!;
  return { from: id, temperature: String(sampling.temperature), length: String(maxTokens) };
}

function Status({ view, reading }: { view: RunView; reading: Reading }) {
  const { end } = view;
  if (end) {
    const isGood = end.finish === "stop";
    return <span class={`status ${isGood ? "good" : "bad"}`}>{finishWords[end.finish] ?? end.finish}</span>;
  }
  if (reading.state.kind === "live") return <span class="status live">writing</span>;
  if (reading.state.kind === "done") {
    const words = reading.state.status ?? "cut off: the trace ends before its run";
    return <span class="status bad">{words}</span>;
  }
  return <span class="status">{reading.state.kind}</span>;
}

function Answer({ view, live }: { view: RunView; live: boolean }) {
  const { end } = view;
  if (end?.error) {
    return (
      <section class="panel">
        <h2>Failed</h2>
        <p>{visible(end.error)}</p>
      </section>
    );
  }
  if (!end) return live ? null : <section class="panel soft">No answer is recorded.</section>;
  return (
    <section class="panel answer" aria-label="Answer">
      <h2>Answer</h2>
      <p class="answer-text" dir="auto">
        {visible(shortAnswer(end.text)) || "none"}
      </p>
    </section>
  );
}

/** What stands in the last box, or the last line. */
export function shortAnswer(text: string): string {
  const boxed = [...text.matchAll(/\\boxed\{([^{}]*)\}/g)].at(-1)?.[1];
  return boxed ?? text.trim().split("\n").at(-1)?.slice(0, 400) ?? "";
}

function Settings({ view }: { view: RunView }) {
  const { roles, options, seed, sampling, maxTokens, run } = view.started!;
  const rows: [string, string][] = [
    ...Object.entries(roles).map(([role, identity]): [string, string] => [role, identity?.name ?? "?"]),
    ...Object.entries(options).map(([name, value]): [string, string] => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
    ["temperature", String(sampling.temperature)],
    ["seed", String(seed)],
    ["greatest length", count(maxTokens, "token")],
    ["run", run],
  ];
  return (
    <details class="panel settings">
      <summary>Settings</summary>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{visible(name)}</dt>
            <dd>{visible(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
