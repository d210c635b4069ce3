/** An annotator without weights: it reads a case as SPARE lays it out and grades each step as it is told to. */
import { ScriptedModel } from "../models/scripted.js";
import { type Grading, gradingsText, lead, type SpareCase } from "../train/reward/labels/spare-prompt.js";

export interface AnnotatorScript {
  /** Whether a step of the case is right. */
  isRight(asked: SpareCase, place: number): boolean;
  /** What it writes instead of the list. */
  readonly says?: (asked: SpareCase) => string;
}

export function scriptedAnnotator({ isRight, says }: AnnotatorScript): ScriptedModel {
  const grade = (asked: SpareCase) =>
    gradingsText(
      "short",
      asked.steps.map((_, place) => gradingOf(asked, place, isRight(asked, place))),
    ).slice(lead.length);
  const said = new Map<string, string>();
  return new ScriptedModel({
    name: "scripted annotator",
    size: { context: 65_536 },
    law: {
      tokens({ text }) {
        const start = text.lastIndexOf(lead) + lead.length;
        const before = text.slice(text.lastIndexOf("Question:\n"), start);
        if (!said.has(before)) said.set(before, (says ?? grade)(caseIn(before)));
        const next = [...said.get(before)!.slice(text.length - start)][0] ?? "";
        return [{ text: next, probability: 1 }];
      },
    },
  });
}

/** Aligned with the reference step of the same place, as in worlds where each question has one way. */
function gradingOf({ reference }: SpareCase, place: number, isRight: boolean): Grading {
  return {
    ...{ step: place + 1, given: "", uses: [] },
    reference: place < reference.length ? [place + 1] : [],
    why: isRight ? "It says what the reference says." : "It does not say what the reference says.",
    errors: isRight ? [] : ["arithmetic"],
    label: isRight ? "CORRECT" : "INCORRECT",
  };
}

function caseIn(text: string): SpareCase {
  const [, question, reference, steps] =
    /Question:\n([\s\S]*?)\n\nReference solution:\n([\s\S]*?)\n\nStudent's solution:\n([\s\S]*?)\n\nWrite the/.exec(
      text,
    )!;
  const listed = (lines: string) => lines.split(/^\[\d+\] /m).slice(1);
  return {
    question: question!,
    reference: listed(reference!).map((line) => line.trim()),
    steps: listed(steps!).map((line) => line.trim()),
  };
}
