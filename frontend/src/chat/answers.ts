/** What became of something that a visitor asked for. */
import { Lost } from "../wire/connection.ts";
import type { Reply, VisitorEvent } from "../wire/protocol.ts";
import { worked } from "../wire/work.ts";

export type Answer = { ok: true; reply?: VisitorEvent | Reply } | { ok: false; code: string; field: string };
const LOST: Answer = { ok: false, code: "offline", field: "" };

/** Asks, and where the server wants work for it, does that and asks again. A lost connection is `offline`. */
export async function answered(ask: (command: object) => Promise<VisitorEvent | Reply>, command: object): Promise<Answer> {
  try {
    let reply = await ask(command);
    // a page in the clear has no `subtle`
    if (reply.type === "failed" && reply.work && crypto.subtle) reply = await ask({ ...command, work: await worked(reply.work) });
    return reply.type === "failed" ? { ok: false, code: reply.code, field: reply.field ?? "" } : { ok: true, reply };
  } catch (e) {
    if (e instanceof Lost) return LOST;
    throw e;
  }
}
