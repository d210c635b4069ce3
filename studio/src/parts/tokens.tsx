/** The tokens of a step with how likely its writer found each: pale is sure, strong is unsure. */
import type { TokenFacts } from "../reading/views.js";
import { visible } from "../words.js";

interface TokenRowProps {
  readonly facts: TokenFacts;
  readonly text: string;
  /** Texts of tokens, where a model was there to tell them: by vocabulary and id. */
  readonly pieces?: ReadonlyMap<string, string>;
}

export function TokenRow({ facts, text, pieces }: TokenRowProps) {
  const { ids, logprobs, entropies, vocabulary } = facts;
  const texts = ids.map((id) => pieces?.get(`${vocabulary}/${id}`));
  const known = texts.every((piece) => piece !== undefined);
  return (
    <>
      {!known && <span class="token-plain">{visible(text.trim())}</span>}
      <span class={known ? "tokens" : "tokens bars"}>
        {ids.map((id, index) => {
          const probability = Math.exp(logprobs[index] ?? 0);
          const words = `token ${id}: probability ${probability.toFixed(3)}, log-probability ${(logprobs[index] ?? 0).toFixed(3)}, entropy ${(entropies[index] ?? 0).toFixed(2)} nats`;
          return (
            <span key={index} class={`token sure-${sureness(probability)}`} title={words}>
              {known ? (
                visible(texts[index]!).replace("\n", "⏎")
              ) : (
                <i style={{ height: `${4 + 20 * (1 - probability)}px` }} />
              )}
            </span>
          );
        })}
      </span>
    </>
  );
}

/** 0 for what the writer was sure of, 4 for what it hardly expected itself. */
function sureness(probability: number): number {
  return [0.95, 0.8, 0.5, 0.2].filter((limit) => probability < limit).length;
}
