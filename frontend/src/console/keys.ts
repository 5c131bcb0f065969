/** The keys that work all over the console (ui.md), by what they mean. Pure. */
import { say } from "./strings.ts";

/** What counts of a KeyboardEvent. */
export type Press = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "isComposing" | "keyCode" | "getModifierState">;

export type Intent = { do: "palette" } | { do: "keys" } | { do: "chat"; number: number } | { do: "back" };

export interface Where {
  /** The focus is where text is written. */
  readonly typing: boolean;
  /** A dialog is open: it has the keys. */
  readonly modal: boolean;
  readonly mac: boolean;
}

/** What a key press means here, or null where it is not ours: while an input method composes, it never is. */
export function intentOf(press: Press, { typing, modal, mac }: Where): Intent | null {
  if (modal || composes(press)) return null;
  const { key, code, ctrlKey, metaKey, altKey, shiftKey } = press;
  const bare = !ctrlKey && !metaKey && !altKey;
  if (isLetter(press, "k") && !altKey && !shiftKey && (mac ? metaKey && !ctrlKey : ctrlKey && !metaKey)) return { do: "palette" };
  if (key === "?" && bare && !typing) return { do: "keys" };
  if (key === "Escape" && bare && !shiftKey) return { do: "back" };
  const digit = /^Digit([1-9])$/.exec(code)?.[1];
  if (digit && altKey && !ctrlKey && !metaKey && !shiftKey && !press.getModifierState("AltGraph")) return { do: "chat", number: Number(digit) };
  return null;
}

/** Part of a word that an input method puts together. Safari says so by the number alone. */
export function composes(press: Pick<Press, "isComposing" | "keyCode">): boolean {
  return press.isComposing || press.keyCode === 229;
}

/** No key that belongs to the browser or the system is held, whatever shift does. */
export function isBare(press: Pick<Press, "ctrlKey" | "metaKey" | "altKey">): boolean {
  return !press.ctrlKey && !press.metaKey && !press.altKey;
}

/** By what it writes; where that is no Latin letter, by its place. */
export function isLetter({ key, code }: Pick<Press, "key" | "code">, letter: string): boolean {
  return /^[a-z]$/i.test(key) ? key.toLowerCase() === letter : code === `Key${letter.toUpperCase()}`;
}

export function isMac(platform: string): boolean {
  return /Mac|iPhone|iPad/.test(platform);
}

/** How a key with the system's own modifier is written: Ctrl+K, or ⌘K on a Mac. */
export function keyOf(letter: string, platform: string = navigator.platform): string {
  return isMac(platform) ? `⌘${letter}` : `${say.keys.ctrl}+${letter}`;
}

/** Whether keys that are pressed here write something. */
export function writesIn(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])");
}
