/**
 * The answer in a solution's text, by the rules of the Qwen2.5-Math evaluation (card
 * reward-guided-speculative-decoding, grading step 3), for free answers; multiple choice has rules of its own.
 */

/** What stands for the answer, as it was written; "" if the text names none. */
export function extractAnswer(text: string): string {
  const found =
    between(text, "final answer is $", "$. I hope") ??
    lastBoxed(text) ??
    afterLast(text, "he answer is") ??
    afterLast(text, "final answer is") ??
    chinese(text) ??
    lastNumber(text);
  return tidy(found);
}

/** Minerva's form. */
function between(text: string, before: string, after: string): string | undefined {
  const start = text.indexOf(before);
  if (start < 0 || !text.includes(after)) return undefined;
  return text.slice(start + before.length).split(after, 1)[0];
}

/** After the last "boxed": what its braces hold, or, without braces, what stands before the next dollar sign. */
function lastBoxed(text: string): string | undefined {
  const rest = afterLast(text, "boxed");
  if (rest === undefined) return undefined;
  if (!rest.startsWith("{")) return rest.split("$", 1)[0];
  let depth = 0;
  for (let index = 0; index < rest.length; index++) {
    if (rest[index] === "{") depth++;
    if (rest[index] === "}" && --depth === 0) return rest.slice(1, index);
  }
  // Never closed: the text was cut inside the box.
  return rest.slice(1);
}

function afterLast(text: string, phrase: string): string | undefined {
  const start = text.lastIndexOf(phrase);
  return start < 0 ? undefined : text.slice(start + phrase.length);
}

function chinese(text: string): string | undefined {
  const phrase = "答案是";
  const start = text.indexOf(phrase);
  if (start < 0) return undefined;
  return text
    .slice(start + phrase.length)
    .trim()
    .split("\n\n", 1)[0];
}

function lastNumber(text: string): string {
  return (
    text
      .replaceAll(",", "")
      .match(/-?\d*\.?\d+/g)
      ?.at(-1) ?? ""
  );
}

function tidy(answer: string): string {
  return answer.trim().replace(/\n\s*/g, "").replace(/^:/, "").replace(/\.$/, "").replace(/\/$/, "").trim();
}
