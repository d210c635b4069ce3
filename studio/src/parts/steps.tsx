/** The answer step by step: who wrote each, its reward, and what was thrown away for it, folded where it stood. */
import type { ComponentChildren } from "preact";
import type { RunView, ShownStep, StepFacts } from "../reading/views.js";
import { count, visible, writerClass } from "../words.js";
import { Reward } from "./reward.js";
import { TokenRow } from "./tokens.js";
import { Writer } from "./writer.js";

interface StepsProps {
  readonly view: RunView;
  readonly live: boolean;
  readonly pieces?: ReadonlyMap<string, string>;
  readonly window?: { readonly count: number; move(from: number): void };
}

export function Steps({ view, live, pieces, window }: StepsProps) {
  const { steps, stepCount, from, undecided, undecidedMore } = view;
  const page = window?.count ?? stepCount;
  return (
    <div class="steps">
      {window && from > 0 && (
        <button type="button" class="quiet" onClick={() => window.move(Math.max(0, from - page))}>
          earlier steps
        </button>
      )}
      <ol class="step-list" start={from + 1}>
        {steps.map((step) => (
          <Step key={step.id} step={step} {...(pieces && { pieces })} />
        ))}
        {live && undecided.map((step) => <Undecided key={step.id} step={step} />)}
      </ol>
      {live && undecidedMore > 0 && (
        <p class="soft">and {count(undecidedMore, "more branch", "more branches")} open</p>
      )}
      {window && from + page < stepCount && (
        <button type="button" class="quiet" onClick={() => window.move(from + page)}>
          later steps ({(stepCount - from - page).toLocaleString("en")} more)
        </button>
      )}
    </div>
  );
}

function Step({ step, pieces }: { readonly step: ShownStep; readonly pieces?: ReadonlyMap<string, string> }) {
  return (
    <li class={`step ${writerClass(step.origin)}`}>
      {step.rejected.map((rejected) => (
        <Rejected key={rejected.id} step={rejected} />
      ))}
      {step.more > 0 && <p class="soft more">and {count(step.more, "other")} not shown here</p>}
      <Row step={step}>
        {step.tokenFacts ? (
          <TokenRow facts={step.tokenFacts} text={step.text} {...(pieces && { pieces })} />
        ) : (
          visible(step.text.trim())
        )}
      </Row>
    </li>
  );
}

function Row({ step, children }: { readonly step: StepFacts; readonly children: ComponentChildren }) {
  return (
    <div class="step-row" data-item tabIndex={-1}>
      <span class="step-number" aria-hidden="true">
        {step.number}
      </span>
      <Writer origin={step.origin} />
      <div class="step-text" dir="auto">
        {children}
      </div>
      <Reward value={step.reward} />
    </div>
  );
}

/** One line until it is opened. */
function Rejected({ step }: { readonly step: StepFacts }) {
  const chance =
    step.coin && step.coin.probability > 0 && step.coin.probability < 1 ? step.coin.probability : null;
  return (
    <details class={`rejected ${writerClass(step.origin)}`}>
      <summary data-item>
        <span class="step-number" aria-hidden="true">
          ×
        </span>
        <Writer origin={step.origin} />
        <span class="rejected-line">
          <span class="unseen">not kept: </span>
          <del>{visible(step.text.trim().slice(0, 300))}</del>
        </span>
        <Reward value={step.reward} />
      </summary>
      <div class="rejected-text" dir="auto">
        {visible(step.text.trim())}
        <p class="soft">
          {step.state === "pruned" ? "Thrown away" : "Left"}, {count(step.tokens, "token")}
          {chance !== null && `; the coin would have kept it with ${Math.round(chance * 100)} %`}.
        </p>
      </div>
    </details>
  );
}

function Undecided({ step }: { readonly step: StepFacts }) {
  return (
    <li class={`step undecided ${writerClass(step.origin)}`}>
      <Row step={step}>
        {visible(step.text.trim())}
        {step.state === "writing" && <span class="caret" aria-hidden="true" />}
        <span class="unseen"> (not decided yet)</span>
      </Row>
    </li>
  );
}
