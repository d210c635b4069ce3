/** The answer at a glance: a block per step, as wide as its tokens; above it what was thrown away. */
import type { StripPart } from "../reading/views.js";
import { count, writerClass } from "../words.js";

export function Strip({ parts }: { readonly parts: readonly StripPart[] }) {
  const all = parts.reduce((sum, { tokens }) => sum + tokens, 0);
  if (all === 0) return null;
  const byTarget = parts
    .filter(({ origin }) => origin === "target")
    .reduce((sum, { tokens }) => sum + tokens, 0);
  const label = `${count(parts.length, "step")}, ${count(all, "token")}${byTarget > 0 ? `, ${Math.round((100 * byTarget) / all)} % by the target` : ""}`;
  return (
    <div class="strip" role="img" aria-label={label}>
      {parts.map((part, index) => (
        <span
          key={index}
          class="strip-step"
          style={{ flexGrow: Math.max(0.2, part.tokens) }}
          title={facts(part)}
        >
          {part.rejected.length > 0 && (
            <i class={`strip-rejected ${writerClass(part.rejected[0]!.origin)}`} />
          )}
          <b class={writerClass(part.origin)} />
        </span>
      ))}
    </div>
  );
}

function facts({ origin, tokens, reward, rejected }: StripPart): string {
  const thrown = rejected.map(
    ({ origin: by, reward: of }) => `${by}${of === null ? "" : ` ${of.toFixed(2)}`}`,
  );
  const words = `${origin}, ${count(tokens, "token")}${reward === null ? "" : `, reward ${reward.toFixed(2)}`}`;
  return thrown.length > 0 ? `${words}; not kept: ${thrown.join(", ")}` : words;
}
