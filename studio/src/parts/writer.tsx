import { writerClass } from "../words.js";

/** Who wrote it, in words, in colour, and in a shape that is told apart without colour. */
export function Writer({ origin }: { readonly origin: string }) {
  return (
    <span class="writer">
      <WriterMark origin={origin} />
      {origin || "?"}
    </span>
  );
}

export function WriterMark({ origin }: { readonly origin: string }) {
  const kind = writerClass(origin);
  return (
    <svg class={`writer-mark ${kind}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      {kind === "draft" && <circle cx="6" cy="6" r="5" />}
      {kind === "target" && <rect x="1.2" y="1.2" width="9.6" height="9.6" />}
      {kind === "other" && <path d="M6 .8 11.2 6 6 11.2 .8 6Z" />}
    </svg>
  );
}
