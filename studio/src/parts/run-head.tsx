/** What was asked of which method, how the run stands, and what can be done with it. */
import { useState } from "preact/hooks";
import { postJson, remove } from "../api/client.js";
import type { Source } from "../reading/protocol.js";
import type { Reading } from "../reading/use-run.js";
import type { RunView } from "../reading/views.js";
import { linkTo } from "../route.js";
import { count, finishWords, visible } from "../words.js";

export function RunHead({ reading, view, source }: { reading: Reading; view: RunView; source: Source }) {
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
export function askedAs(id: string, { started }: RunView): Record<string, string> {
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
