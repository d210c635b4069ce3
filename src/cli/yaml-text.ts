import { parseDocument } from "yaml";

/** YAML as plain data. Throws a one-line error. Aliases are refused: settings have no use for them, and they can blow up in memory. */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new Error(problem.message.split("\n")[0]);
  return document.toJS({ maxAliasCount: 0 });
}
