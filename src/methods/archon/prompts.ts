/** What Archon's components ask, and how their replies are read. What a model says is text and nothing else. */

/** Answers numbered from 1, with their critiques where there are any. */
function listed(answers: readonly string[], critiques: readonly string[] = []): string {
  return answers
    .map((answer, index) => {
      const critique = critiques[index] ? `\n\nCritique of answer ${index + 1}:\n${critiques[index]}` : "";
      return `[${index + 1}]\n${answer.trim()}${critique}`;
    })
    .join("\n\n");
}

export function fusePrompt(
  question: string,
  answers: readonly string[],
  critiques: readonly string[],
): string {
  return (
    `Here are ${answers.length} answers to one question, of unequal worth.\n\nQuestion:\n${question}\n\n` +
    `Answers:\n\n${listed(answers, critiques)}\n\n` +
    "Now answer the question yourself, in full and with all steps, as well as you can. Take over what is right in the " +
    "answers above, leave out what is wrong, and trust none of them without checking. Do not mention them."
  );
}

export function critiquePrompt(question: string, answers: readonly string[]): string {
  return (
    "Judge each answer to the question below. For every answer write a line with its number in square brackets, then " +
    `its strengths, then its weaknesses.\n\nQuestion:\n${question}\n\nAnswers:\n\n${listed(answers)}\n\n` +
    `Begin with [1] and end with [${answers.length}].`
  );
}

/** One critique for each answer, in their order; null unless there is exactly one for each. */
export function parseCritiques(text: string, answers: number): string[] | null {
  // Only a number that opens a line begins a critique: inside one, other answers may be cited.
  const parts = text.split(/^[ \t]*\[(\d+)\][ \t:.-]*/m).slice(1);
  const found = new Map<number, string>();
  for (let index = 0; index < parts.length; index += 2) {
    const number = Number(parts[index]);
    if (found.has(number)) return null;
    found.set(number, parts[index + 1]!.trim());
  }
  const critiques = Array.from({ length: answers }, (_, index) => found.get(index + 1));
  return found.size === answers && critiques.every((critique) => critique) ? (critiques as string[]) : null;
}

export function rankPrompt(
  question: string,
  answers: readonly string[],
  critiques: readonly string[],
): string {
  return (
    "Rank the answers to the question below from best to worst. Reply with their numbers alone, in this form: " +
    `[2] > [1] > [3].\n\nQuestion:\n${question}\n\nAnswers:\n\n${listed(answers, critiques)}`
  );
}

/** Indices of the answers, best first: numbers that are repeated or out of range are left out, missing ones follow. */
export function parseRanking(text: string, answers: number): number[] {
  const named = [...text.matchAll(/\[(\d+)\]/g)].map((match) => Number(match[1]) - 1);
  const all = Array.from({ length: answers }, (_, index) => index);
  return [...new Set([...named.filter((index) => index >= 0 && index < answers), ...all])];
}

export function reasonPrompt(question: string, answer: string): string {
  return (
    "Go through the answer to the question below step by step and say why each step is right, or where it goes " +
    `wrong.\n\nQuestion:\n${question}\n\nAnswer:\n${answer.trim()}`
  );
}

export function verdictPrompt(question: string, answer: string, reasons: string): string {
  return (
    "Decide whether the answer to the question below is correct, given this examination of it. Reply with one word, " +
    `Correct or Incorrect.\n\nQuestion:\n${question}\n\nAnswer:\n${answer.trim()}\n\nExamination:\n${reasons.trim()}`
  );
}

/** True where the last verdict word is "correct"; none counts as incorrect. */
export function parseVerdict(text: string): boolean {
  return (
    text
      .match(/\b(?:in)?correct\b/gi)
      ?.at(-1)
      ?.toLowerCase() === "correct"
  );
}

export function testsPrompt(question: string): string {
  return (
    "Write between five and ten short statements that hold for every good answer to the question below and can be " +
    `checked by reading the answer. One statement a line, numbered.\n\nQuestion:\n${question}`
  );
}

/** At most ten statements, one a line. */
export function parseTests(text: string): string[] {
  const lines = [...text.matchAll(/^[ \t]*(?:\d+[.):]|[-*])[ \t]+(\S.*)$/gm)].map((match) =>
    match[1]!.trim(),
  );
  return lines.slice(0, 10);
}

export function examPrompt(question: string, answer: string, tests: readonly string[]): string {
  const statements = tests.map((test, index) => `${index + 1}. ${test}`).join("\n");
  return (
    "Say of each statement whether it holds for the answer below. One line a statement: its number, then pass or " +
    `fail.\n\nQuestion:\n${question}\n\nAnswer:\n${answer.trim()}\n\nStatements:\n${statements}`
  );
}

/** How many of the tests the reply says are passed; what it does not mention is failed. */
export function parsePasses(text: string, tests: number): number {
  const verdicts = new Map<number, boolean>();
  for (const [, number, verdict] of text.matchAll(/^[ \t]*(\d+)[^\n]*?\b(pass|fail)(?:ed|s)?\b/gim)) {
    const index = Number(number);
    if (index >= 1 && index <= tests) verdicts.set(index, verdict!.toLowerCase() === "pass");
  }
  return [...verdicts.values()].filter(Boolean).length;
}
