/** What an operator has begun to write, by chat: in the tab's sessionStorage only, gone when sent. */
import type { Box } from "../wire/storage.ts";

export type Mode = "reply" | "note";
type Stored = Record<string, Partial<Record<Mode, string>>>;

export class Drafts {
  private all: Stored;

  constructor(private box: Box) {
    this.all = read(box.get("drafts"));
  }

  get(chat: string, mode: Mode): string {
    return this.all[chat]?.[mode] ?? "";
  }

  /** "" removes it. */
  set(chat: string, mode: Mode, text: string): void {
    const { [chat]: old, ...rest } = this.all;
    const { [mode]: _, ...others } = old ?? {};
    const own = text ? { ...others, [mode]: text } : others;
    this.keep(Object.keys(own).length ? { ...rest, [chat]: own } : rest);
  }

  forget(chat: string): void {
    const { [chat]: _, ...rest } = this.all;
    this.keep(rest);
  }

  clear(): void {
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
