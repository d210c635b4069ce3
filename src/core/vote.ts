/** Answers that mean the same, counted together. */
import type { Node, Search } from "./search.js";

export interface AnswerGroup {
  readonly answer: string;
  /** In the order given. */
  readonly nodes: readonly Node[];
  /** Sum of the members' weights. */
  readonly weight: number;
}

/**
 * Groups nodes by their answers, the greatest weight first, of equals the one that came first. Nodes without an
 * answer belong to no group. A node weighs 1, or what `weights` says of it.
 */
export async function groupByAnswer(
  search: Search,
  nodes: readonly Node[],
  weights?: readonly number[],
): Promise<AnswerGroup[]> {
  const answers = await Promise.all(nodes.map((node) => search.answer(node)));
  const groups: { answer: string; nodes: Node[]; weight: number }[] = [];
  for (const [index, answer] of answers.entries()) {
    if (answer === null) continue;
    let group = groups.find((other) => other.answer === answer);
    for (const other of group ? [] : groups) {
      if (await search.sameAnswer(other.answer, answer)) {
        group = other;
        break;
      }
    }
    if (!group) {
      group = { answer, nodes: [], weight: 0 };
      groups.push(group);
    }
    group.nodes.push(nodes[index]!);
    group.weight += weights?.[index] ?? 1;
  }
  return groups.sort((a, b) => b.weight - a.weight);
}
