/**
 * What an operator has begun to write, by chat: in the tab's sessionStorage only, gone when sent and when the
 * chat ends. The screen keeps what a chat ended over until the operator dismisses it.
 */
import { signal } from "@preact/signals";
import type { Box } from "../wire/storage.ts";

export type Mode = "reply" | "note";
/** An own message while it is being reworded. */
export interface Rewording {
  readonly target: number;
  readonly text: string;
}
type Draft = Partial<Record<Mode, string>> & { readonly last?: Mode; readonly rewording?: Rewording };
type Stored = Record<string, Draft>;

export class Drafts {
  /** By uid of the chat: it waits there while one looks into another chat. */
  readonly rewordings = signal<ReadonlyMap<string, Rewording>>(new Map());
  private all: Stored;
  private over: Stored = {};

  constructor(private box: Box) {
    this.all = read(box.get("drafts"));
    this.tell();
  }

  get(chat: string, mode: Mode): string {
    return (this.all[chat] ?? this.over[chat])?.[mode] ?? "";
  }

  /** Those in which something was begun, as far as the storage holds it. */
  get chats(): readonly string[] {
    return Object.keys(this.all);
  }

  holds(chat: string): boolean {
    return this.texts(chat).length > 0;
  }

  texts(chat: string): readonly string[] {
    const own = this.all[chat] ?? this.over[chat];
    return [own?.reply, own?.note, own?.rewording?.text].filter((text) => text !== undefined && text !== "") as string[];
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
    this.keep(own.reply || own.note || own.rewording ? { ...rest, [chat]: own } : rest);
  }

  /** Null when it is saved or given up. */
  reword(chat: string, rewording: Rewording | null): void {
    const { [chat]: old, ...rest } = this.all;
    const { rewording: _, ...others } = old ?? {};
    const own: Draft = rewording ? { ...others, rewording } : others;
    this.keep(own.reply || own.note || own.rewording ? { ...rest, [chat]: own } : rest);
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
    this.tell();
  }

  private tell(): void {
    const found = Object.entries({ ...this.over, ...this.all }).flatMap(([chat, { rewording }]) => (rewording ? [[chat, rewording] as const] : []));
    const now = this.rewordings.peek();
    if (found.length !== now.size || found.some(([chat, each]) => now.get(chat) !== each)) this.rewordings.value = new Map(found);
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
