import type { ApiProblem } from "../api/client.js";

/** What is wrong and what to do, in the place of what was to be shown. */
export function Problem({ problem }: { readonly problem: Pick<ApiProblem, "message" | "remedy"> }) {
  return (
    <div class="notice bad" role="alert">
      <strong>{sentence(problem.message)}</strong>
      {problem.remedy && <p>{sentence(problem.remedy)}</p>}
    </div>
  );
}

function sentence(text: string): string {
  return /[.!?]$/.test(text)
    ? text[0]!.toUpperCase() + text.slice(1)
    : `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.`;
}
