/** The tree of ranks that Token Recycling fills: 80 nodes, six deep. Card token-recycling, "2.2.2". */

export interface TemplateNode {
  /** Ranks that lead here, as "0.1.0". */
  readonly name: string;
  readonly parent: string;
  readonly rank: number;
  readonly depth: number;
}

/** Children of each place that has more than none; a child's ranks count from 0. */
const childCounts: Readonly<Record<string, number>> = {
  "": 8,
  ...{ "0": 8, "1": 4, "2": 3, "3": 2, "4": 1, "5": 1, "6": 1, "7": 1 },
  ...{ "0.0": 8, "0.1": 3, "0.2": 2, "0.3": 1, "0.4": 1, "0.5": 1, "0.6": 1, "0.7": 1 },
  ...{ "1.0": 2, "1.1": 1, "2.0": 1, "3.0": 1, "4.0": 1, "5.0": 1 },
  ...{ "0.0.0": 5, "0.0.1": 2, "0.0.2": 1, "0.0.3": 1, "0.0.4": 1 },
  ...{ "0.1.0": 1, "0.2.0": 1, "1.0.0": 1, "2.0.0": 1, "3.0.0": 1 },
  ...{ "0.0.0.0": 3, "0.0.0.1": 1, "0.0.0.2": 1, "0.0.1.0": 1, "0.1.0.0": 1, "1.0.0.0": 1 },
  ...{ "0.0.0.0.0": 2, "0.0.0.1.0": 1 },
};

/** All 80 places, layer by layer. */
export const wholeTemplate: readonly TemplateNode[] = layers();

function layers(): TemplateNode[] {
  const nodes: TemplateNode[] = [];
  const open = [""];
  for (const parent of open) {
    for (let rank = 0; rank < (childCounts[parent] ?? 0); rank++) {
      const name = parent === "" ? String(rank) : `${parent}.${rank}`;
      nodes.push({ name, parent, rank, depth: name.split(".").length });
      open.push(name);
    }
  }
  return nodes;
}

/**
 * Our guess at how often a rank is the right one, for trees smaller than the template: the best-valued of its places
 * are kept, so that a small tree is deep where the template is deep.
 */
const rankChance = [0.5, 0.13, 0.07, 0.045, 0.03, 0.025, 0.02, 0.015];

const byValue = [...wholeTemplate].sort((a, b) => chanceOf(b) - chanceOf(a) || a.depth - b.depth);

function chanceOf({ name }: TemplateNode): number {
  return name.split(".").reduce((value, rank) => value * rankChance[Number(rank)]!, 1);
}

/** The best so many places of the template that ask for no later rank, parents before their children. */
export function recyclingTemplate(nodes: number, ranks: number): TemplateNode[] {
  const chosen = byValue.filter(({ name }) => name.split(".").every((rank) => Number(rank) < ranks));
  const kept = new Set(chosen.slice(0, nodes));
  return wholeTemplate.filter((node) => kept.has(node));
}
