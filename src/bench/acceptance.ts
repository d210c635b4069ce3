/** How often the draft's steps were kept, over all rounds and by the place of the step in the answer. */
import type { BenchResult } from "./result.js";

export interface AcceptanceFigures {
  /** Rounds in which the draft wrote, and those in which its step was kept. */
  readonly drafted: number;
  readonly accepted: number;
}

export interface PlaceAcceptance extends AcceptanceFigures {
  /** Of the step in the answer, from 0. */
  readonly place: number;
}

export function acceptanceByPlace(results: readonly BenchResult[]): PlaceAcceptance[] {
  const places: { place: number; drafted: number; accepted: number }[] = [];
  for (const { steps } of results) {
    for (const [place, step] of steps.entries()) {
      places[place] ??= { place, drafted: 0, accepted: 0 };
      const isDraft = step.origin === "draft";
      if (isDraft || step.rejected.some(({ origin }) => origin === "draft")) places[place].drafted++;
      if (isDraft) places[place].accepted++;
    }
  }
  return places;
}

export function acceptanceOf(places: readonly AcceptanceFigures[]): number | null {
  const drafted = places.reduce((sum, place) => sum + place.drafted, 0);
  const accepted = places.reduce((sum, place) => sum + place.accepted, 0);
  return drafted === 0 ? null : accepted / drafted;
}
