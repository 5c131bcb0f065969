/** What became of something that a visitor asked for, and what a refusal means for us. */
import { Lost } from "../wire/connection.ts";
import type { Failed, Reply, VisitorEvent } from "../wire/protocol.ts";
import { work } from "./parts.ts";

export type Answer = { ok: true; reply?: VisitorEvent | Reply } | { ok: false; code: string; field: string };
const LOST: Answer = { ok: false, code: "offline", field: "" };

/** Refusals that say that the form, the notice or the chat is not what we show. */
export const BEHIND = new Set(["notice_required", "unknown_field", "missing_field", "chat_already_open", "chat_closed", "not_found", "under_age"]);

/** Asks, and where the server wants work for it, does that and asks again. A lost connection is `offline`. */
export async function answered(ask: (command: object) => Promise<VisitorEvent | Reply>, command: object): Promise<Answer> {
  try {
    let reply = await ask(command);
    // a page in the clear has no `subtle`
    if (reply.type === "failed" && reply.work && crypto.subtle) {
      const part = await work().catch(() => null); // without it she is told to wait
      if (part) reply = await ask({ ...command, work: await part.worked(reply.work) });
    }
    return reply.type === "failed" ? { ok: false, code: reply.code, field: reply.field ?? "" } : { ok: true, reply };
  } catch (e) {
    if (e instanceof Lost) return LOST;
    throw e;
  }
}

/** After how many milliseconds the same thing may be sent again by itself; 0 for never. */
export function waitFor(f: Failed): number {
  if (f.retry_after_ms) return f.retry_after_ms;
  return f.code === "rate_limited" || f.code === "unavailable" ? 2_000 : 0;
}
