/**
 * What an operator has begun to write, by chat: in the tab's sessionStorage only, gone when sent and when the
 * chat ends. The screen keeps what a chat ended over until the operator dismisses it.
 */
import type { Box } from "../wire/storage.ts";

export type Mode = "reply" | "note";
type Draft = Partial<Record<Mode, string>> & { readonly last?: Mode };
type Stored = Record<string, Draft>;

export class Drafts {
  private all: Stored;
  private over: Stored = {};

  constructor(private box: Box) {
    this.all = read(box.get("drafts"));
  }

  get(chat: string, mode: Mode): string {
    return (this.all[chat] ?? this.over[chat])?.[mode] ?? "";
  }

  /** What to go on with: a note that was begun last goes on as a note, never as a reply. */
  mode(chat: string): Mode {
    return this.all[chat]?.last === "note" && this.get(chat, "note") ? "note" : "reply";
  }

  /** "" removes it. */
  set(chat: string, mode: Mode, text: string): void {
    const { [chat]: old, ...rest } = this.all;
    const { [mode]: _, ...others } = old ?? {};
    const own: Draft = text ? { ...others, [mode]: text, last: mode } : others;
    this.keep(own.reply || own.note ? { ...rest, [chat]: own } : rest);
  }

  /** The chat ended: out of the storage, though still on the screen. */
  ended(chat: string): void {
    const { [chat]: own, ...rest } = this.all;
    if (!own) return;
    this.over = { ...this.over, [chat]: own };
    this.keep(rest);
  }

  forget(chat: string): void {
    const { [chat]: _, ...rest } = this.all;
    const { [chat]: __, ...over } = this.over;
    this.over = over;
    this.keep(rest);
  }

  clear(): void {
    this.over = {};
    this.keep({});
  }

  private keep(all: Stored): void {
    this.all = all;
    this.box.set("drafts", Object.keys(all).length ? JSON.stringify(all) : null);
  }
}

function read(text: string | null): Stored {
  try {
    const stored: unknown = JSON.parse(text ?? "{}");
    return stored && typeof stored === "object" && !Array.isArray(stored) ? (stored as Stored) : {};
  } catch {
    return {};
  }
}
