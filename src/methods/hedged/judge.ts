/** What the target is asked about answers, and how. */
import type { Search } from "../../core/search.js";

/** What the target writes under each of these prompts, greedily. */
export async function judge(
  search: Search,
  prompts: readonly string[],
  maxTokens: number,
): Promise<string[]> {
  const nodes = await search.extendAll(
    prompts.map((content) => ({
      ...{ node: search.begin([{ role: "user", content }]), role: "target", origin: "judge", maxTokens },
      ...{ splitter: { kind: "none" }, sampling: { temperature: 0 } },
    })),
  );
  for (const node of nodes) search.prune(node);
  return nodes.map((node) => node.step!.text);
}

export function chopsRequest(question: string, answers: readonly string[]): string {
  const listed = answers.map((text, index) => `Answer ${String.fromCharCode(65 + index)}:\n${text}`);
  return (
    `Problem:\n${question}\n\n${listed.join("\n\n")}\n\n---\nFirst write a short checklist: what must a right answer ` +
    "to this problem meet? Then hold each answer against it. Your last line names the best one, such as: Best: A"
  );
}

export function pairRequest(question: string, one: string, other: string): string {
  return (
    `Problem:\n${question}\n\nFirst answer:\n${one}\n\nSecond answer:\n${other}\n\n---\nHow far do the two answers agree ` +
    "in what they say, whatever their language? Reply with one digit, from 0 (not at all) to 9 (fully)."
  );
}
