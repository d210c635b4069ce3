/** The target writes what plain decoding would write; a draft is accepted where it is that token. */
import type { Place } from "../../core/speculation.js";
import type { Tested } from "./pipeline.js";

export function testAgreement({ row, children }: Place): Tested {
  const accepted = children.find(({ token }) => token === row.draw.token);
  return accepted ? { accepted } : { instead: row.draw };
}
