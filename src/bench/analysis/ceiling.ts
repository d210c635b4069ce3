/**
 * What "sample until the verifier accepts" can reach with a verifier that errs, and how many tries are worth it.
 * Source: card inference-scaling-flaws (arXiv 2411.17501), steps 1 to 4.
 */

export interface TaskKind {
  /** Share of questions of this kind. */
  readonly prior: number;
  /** Chance that one sample is right. */
  readonly accuracy: number;
}

export interface Verifier {
  /** P(accept | right). */
  readonly completeness: number;
  /** P(reject | wrong). */
  readonly soundness: number;
}

export interface Worth {
  /** Of a right answer; an abstention is worth 0. */
  readonly right: number;
  /** Of a wrong answer that was accepted: 0 or below. */
  readonly wrong: number;
  /** Of one try. */
  readonly perTry: number;
}

export interface Outlook {
  /** P(right answer accepted) and P(wrong answer accepted) within K tries. */
  readonly right: number;
  readonly wrong: number;
}

/** The first accepted answer of at most `tries` wins; else there is none. */
export function resampling(kinds: readonly TaskKind[], verifier: Verifier, tries: number): Outlook {
  let [right, wrong] = [0, 0];
  for (const { prior, accuracy } of kinds) {
    const { accept, fluke, reject } = oneTry(accuracy, verifier);
    const rounds = reject === 1 ? tries : (1 - reject ** tries) / (1 - reject);
    // Tries without end, of what is never accepted, accept nothing.
    const count = Number.isFinite(rounds) ? rounds : 0;
    right += prior * accept * count;
    wrong += prior * fluke * count;
  }
  return { right, wrong };
}

/** P(right) as tries go on without end: no more can be reached with this verifier. */
export function ceiling(kinds: readonly TaskKind[], verifier: Verifier): number {
  return resampling(kinds, verifier, Number.POSITIVE_INFINITY).right;
}

/** P(right | accepted) of a kind: the same after any number of tries. */
export function precision({ accuracy }: TaskKind, verifier: Verifier): number {
  const { accept, fluke } = oneTry(accuracy, verifier);
  return accept + fluke === 0 ? 0 : accept / (accept + fluke);
}

export interface BestTries {
  /** 0: better to abstain. Null: more tries always pay. */
  readonly tries: number | null;
  readonly value: number;
}

/** The number of tries of the greatest expected worth, and that worth. */
export function bestTries(kinds: readonly TaskKind[], verifier: Verifier, worth: Worth): BestTries {
  const rounds = kinds.map(({ prior, accuracy }) => {
    const { accept, fluke, reject } = oneTry(accuracy, verifier);
    return { prior, reject, value: worth.right * accept + worth.wrong * fluke - worth.perTry };
  });
  let [sum, value, tries] = [0, 0, 0];
  let remaining = rounds.map(({ prior }) => prior);
  for (let k = 1; k <= mostTries; k++) {
    sum += rounds.reduce((total, round, index) => total + remaining[index]! * round.value, 0);
    if (sum > value + 1e-12) [value, tries] = [sum, k];
    remaining = remaining.map((share, index) => share * rounds[index]!.reject);
    // What is left cannot move the sum any more.
    if (Math.max(...remaining) < 1e-13) break;
  }
  const isEndless = rounds.every((round) => round.value >= 0) && rounds.some((round) => round.value > 0);
  return { tries: isEndless ? null : tries, value };
}

const mostTries = 20_000;

function oneTry(accuracy: number, { completeness, soundness }: Verifier) {
  const accept = completeness * accuracy;
  const fluke = (1 - accuracy) * (1 - soundness);
  return { accept, fluke, reject: (1 - completeness) * accuracy + soundness * (1 - accuracy) };
}

/** One sample with the verifier's word on it. */
export interface Verified {
  readonly right: boolean;
  readonly accepted: boolean;
}

export interface VerifierEstimate extends Verifier {
  readonly kinds: readonly TaskKind[];
}

/**
 * Kinds by whether more than half of a question's samples are right; completeness and soundness over all samples.
 * With one sample per question there is one kind. Null where no sample is right, or none is wrong.
 */
export function estimateVerifier(questions: readonly (readonly Verified[])[]): VerifierEstimate | null {
  const all = questions.flat();
  const rights = all.filter(({ right }) => right);
  const wrongs = all.filter(({ right }) => !right);
  if (rights.length === 0 || wrongs.length === 0) return null;
  const isEasy = (own: readonly Verified[]) => own.filter(({ right }) => right).length / own.length > 0.5;
  const canTell = questions.every((own) => own.length > 1);
  const groups = canTell ? [questions.filter(isEasy), questions.filter((own) => !isEasy(own))] : [questions];
  return {
    completeness: rights.filter(({ accepted }) => accepted).length / rights.length,
    soundness: wrongs.filter(({ accepted }) => !accepted).length / wrongs.length,
    kinds: groups
      .filter((group) => group.length > 0)
      .map((group) => ({
        prior: group.length / questions.length,
        accuracy: group.flat().filter(({ right }) => right).length / group.flat().length,
      })),
  };
}
