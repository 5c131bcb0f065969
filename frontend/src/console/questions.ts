/** Commands that somebody waits for the answer of: one at a time for each thing, and whoever waits is told why not. */
import { signal } from "@preact/signals";
import { Lost } from "../wire/connection.ts";
import type { OperatorCommand, Reply } from "../wire/protocol.ts";
import { refusal, say } from "./strings.ts";

export type Command = OperatorCommand extends infer C ? (C extends { id?: number } ? Omit<C, "id"> : never) : never;

export class Questions {
  /** What an answer of the server is awaited for: uids of chats, or "status". */
  readonly busy = signal<ReadonlySet<string>>(new Set());

  constructor(
    private send: (command: Command) => Promise<unknown>,
    private tell: (text: string) => void,
  ) {}

  /** The reply as it is, also one that says why not; null where there is no connection. Nobody is told. */
  async plainly(command: Command): Promise<Reply | null> {
    try {
      return (await this.send(command)) as Reply;
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      return null;
    }
  }

  /** The reply, or null when it could not be done and the operator was told why. */
  async ask(command: Command, what: string, words: Record<string, string> = {}): Promise<Reply | null> {
    if (this.busy.peek().has(what)) return null;
    this.busy.value = new Set(this.busy.peek()).add(what);
    try {
      const reply = (await this.send(command)) as Reply;
      if (reply.type !== "failed") return reply;
      this.tell(words[reply.code] ?? refusal(reply.code));
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      this.tell(say.refused.noConnection);
    } finally {
      const rest = new Set(this.busy.peek());
      rest.delete(what);
      this.busy.value = rest;
    }
    return null;
  }
}
