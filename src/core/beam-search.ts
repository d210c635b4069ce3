/**
 * Keeps the best few prefixes, writes several next steps after each, and keeps the best again: the loop behind the
 * methods that choose step by step (card bag-of-tricks, methods 2 and 3).
 */
import { bestChains, type Chain, growChains, type Value } from "./chains.js";
import { type Aggregation, aggregate } from "./reward.js";
import { type SamplingOptions, samplingOf } from "./sampling-options.js";
import type { Search } from "./search.js";
import { commonAncestor, keepOnly, offerBest } from "./survivors.js";

export interface BeamOptions extends SamplingOptions {
  /** Prefixes that are kept. */
  readonly width: number;
  /** Next steps written after each of them. */
  readonly expand: number;
  readonly aggregation: Aggregation;
}

export interface BeamSetting {
  /** Default: the step's reward. */
  readonly value?: Value;
  /** Whether nobody else searches below the root: then what is sure is decided on the way. Default true. */
  readonly alone?: boolean;
}

/**
 * The best answer found. Finished answers stay in the beam while they are among the best; the search ends when all
 * that is kept is finished.
 */
export async function beamSearch(
  search: Search,
  options: BeamOptions,
  { value, alone = true }: BeamSetting = {},
): Promise<Chain> {
  const { aggregation, width } = options;
  let beam: Chain[] = [{ node: search.root, rewards: [] }];
  while (beam.some(({ node }) => !node.finish)) {
    const grown = await growChains(search, expansions(beam, options), value);
    const candidates = [...beam.filter(({ node }) => node.finish), ...grown];
    offerBest(
      search,
      candidates.map(({ node, rewards }) => ({ node, merit: aggregate(aggregation, rewards) })),
    );
    beam = distinct(bestChains(candidates, aggregation, candidates.length)).slice(0, width);
    const kept = beam.map(({ node }) => node);
    keepOnly(
      search,
      candidates.map(({ node }) => node),
      kept,
    );
    // Frees what only led here.
    if (alone) search.commit(commonAncestor(kept));
  }
  return beam[0]!;
}

function expansions(beam: readonly Chain[], options: BeamOptions) {
  const open = beam.filter(({ node }) => !node.finish);
  // One root stands for a whole beam: as many first steps are written as steps later on.
  const count = beam[0]!.node.step ? options.expand : options.expand * options.width;
  return open.flatMap((chain) =>
    Array.from({ length: count }, (_, index) => ({
      chain,
      role: "draft" as const,
      sampling: samplingOf(options, { index, count, depth: chain.node.depth }),
    })),
  );
}

/** The first of those that say the same after the same prefix: a beam of copies searches nothing. */
function distinct(chains: readonly Chain[]): Chain[] {
  const seen = new Set<string>();
  return chains.filter(({ node }) => {
    const place = `${node.parent!.id} ${node.step!.text}`;
    return !seen.has(place) && seen.add(place);
  });
}
