import type { CommandContext } from "./command.js";
import type { OutputForm, Session } from "./run-session.js";
export async function resumeSession(
  _context: CommandContext,
  _path: string,
  _form: OutputForm,
): Promise<Session | null> {
  return null;
}
