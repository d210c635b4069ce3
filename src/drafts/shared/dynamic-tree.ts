/** DySpec's two builders: draw where the draft's own probabilities promise the most. Card dyspec. */
import type { Shoot, Sprout, TreeGrower } from "./tree-grower.js";

/**
 * `estimate` is how likely the target's walk comes to this draw: the product of the draft's probabilities above, and of
 * the earlier siblings being refused. It is known before the token is, so choosing by it does not bias the law.
 */
type Place = { readonly estimate: number } & ({ readonly sprout: Sprout } | { readonly shoot: Shoot });

export async function growGreedily(grower: TreeGrower, first: Sprout): Promise<void> {
  const open: Place[] = [{ estimate: 1, sprout: first }];
  while (!grower.isFull && open.length > 0) {
    const best = open.reduce((a, b) => (b.estimate > a.estimate ? b : a));
    open.splice(open.indexOf(best), 1);
    const [sprout] = "sprout" in best ? [best.sprout] : await grower.expand([best.shoot]);
    const shoot = sprout && grower.draw(sprout);
    if (!shoot) continue;
    open.push({ estimate: best.estimate * (1 - shoot.probability), sprout });
    if (grower.canGrow(shoot)) open.push({ estimate: best.estimate * shoot.probability, shoot });
  }
}

export async function growAbove(threshold: number, grower: TreeGrower, first: Sprout): Promise<void> {
  let layer = [{ estimate: 1, sprout: first }];
  while (layer.length > 0) {
    const grown: { readonly estimate: number; readonly shoot: Shoot }[] = [];
    for (const { estimate, sprout } of layer) {
      let left = estimate;
      while (left >= threshold) {
        const shoot = grower.draw(sprout);
        if (!shoot) break;
        grown.push({ estimate: left * shoot.probability, shoot });
        left *= 1 - shoot.probability;
      }
    }
    const shoots = grown.map(({ shoot }) => shoot);
    if (grower.isFull || grower.stopsAfter(shoots)) return;
    const going = grown.filter(({ estimate, shoot }) => estimate >= threshold && grower.canGrow(shoot));
    const sprouts = await grower.expand(going.map(({ shoot }) => shoot));
    layer = sprouts.map((sprout, index) => ({ estimate: going[index]!.estimate, sprout }));
  }
}
