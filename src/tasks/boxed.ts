/** What the last `\boxed{...}` of a worked solution holds; "" where there is none. */
export function lastBoxed(solution: string): string {
  const word = "boxed{";
  const start = solution.lastIndexOf(word);
  if (start < 0) return "";
  let depth = 1;
  for (let index = start + word.length; index < solution.length; index++) {
    if (solution[index] === "{") depth++;
    if (solution[index] === "}" && --depth === 0) return solution.slice(start + word.length, index);
  }
  return "";
}
