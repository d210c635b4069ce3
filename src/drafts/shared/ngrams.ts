/** How often a token followed the last few, in given texts and in the text itself. Card superposed-decoding, 5. */
import type { Model } from "../../core/model.js";
import type { Token } from "../../core/step.js";
import { SuffixAutomaton } from "./suffix-automaton.js";

/** Weights of the relative frequencies of 2-grams to 6-grams; they need not add up to 1. */
const orderWeights = [0.01, 0.04, 0.15, 0.18, 0.12];

export class NGrams {
  readonly #automaton = new SuffixAutomaton();

  static async of(model: Model, texts: readonly string[]): Promise<NGrams> {
    const grams = new NGrams();
    for (const text of texts) grams.#automaton.add(await model.tokenize(text));
    return grams;
  }

  /** The score of each token that followed the text's end somewhere; 0 for all others. */
  scores(text: readonly Token[]): Map<Token, number> {
    const own = this.#ownCounts(text);
    const scores = new Map<Token, number>();
    for (const [index, weight] of orderWeights.entries()) {
      const counts = own[index]!;
      const context = text.slice(text.length - index - 1);
      const match = this.#automaton.match(context);
      if (match.length === index + 1) {
        for (const { token, count } of this.#automaton.continuations(match.state)) add(counts, token, count);
      }
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      for (const [token, count] of counts) add(scores, token, (weight * count) / total);
    }
    return scores;
  }

  /** What followed the last 1, 2, ... tokens where they stood before in the text itself. */
  #ownCounts(text: readonly Token[]): Map<Token, number>[] {
    const counts = orderWeights.map(() => new Map<Token, number>());
    const last = text.length - 1;
    for (let end = 1; end <= last; end++) {
      const most = Math.min(orderWeights.length, end);
      for (let length = 1; length <= most && text[end - length] === text[last - length + 1]; length++) {
        add(counts[length - 1]!, text[end]!, 1);
      }
    }
    return counts;
  }
}

function add(counts: Map<Token, number>, token: Token, count: number): void {
  counts.set(token, (counts.get(token) ?? 0) + count);
}
