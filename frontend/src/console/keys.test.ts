import { expect, test } from "vitest";
import { intentOf, isMac, keyOf, type Press, type Where } from "./keys.ts";

const free: Where = { typing: false, modal: false, mac: false };
const typing: Where = { ...free, typing: true };
const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  code: /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : /^\d$/.test(key) ? `Digit${key}` : "",
  ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, isComposing: false, keyCode: 0, getModifierState: () => false, ...more,
});
const does = (key: string, more: Partial<Press> = {}, where = free) => intentOf(press(key, more), where)?.do;

test("ctrl-k opens the palette, also out of a message, and on a Mac cmd-k does", () => {
  expect(does("k", { ctrlKey: true })).toBe("palette");
  expect(does("k", { ctrlKey: true }, typing)).toBe("palette");
  expect(does("K", { ctrlKey: true })).toBe("palette"); // caps lock
  expect(does("k", { metaKey: true }, { ...free, mac: true })).toBe("palette");
  expect(does("k", { ctrlKey: true }, { ...free, mac: true })).toBeUndefined(); // deletes to the end of the line there
  expect(does("k", { metaKey: true })).toBeUndefined();
  expect(does("л", { ctrlKey: true, code: "KeyK" })).toBe("palette"); // the same key, in Russian
});

test("what belongs to the browser stays the browser's", () => {
  for (const more of [{ shiftKey: true }, { altKey: true }, { metaKey: true }]) expect(does("k", { ctrlKey: true, ...more })).toBeUndefined();
  for (const more of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }]) expect(does("?", more)).toBeUndefined();
  for (const key of ["t", "w", "l", "r", "f"]) expect(does(key, { ctrlKey: true })).toBeUndefined();
  for (const more of [{ ctrlKey: true }, { metaKey: true }, { shiftKey: true }]) expect(does("1", { altKey: true, ...more })).toBeUndefined();
  expect(does("1")).toBeUndefined();
});

test("? shows the keys, but not while one writes", () => {
  expect(does("?", { shiftKey: true })).toBe("keys");
  expect(does("?", {}, typing)).toBeUndefined();
});

test("alt with a digit goes to a chat, also out of a message, by the key's place; AltGr writes", () => {
  expect(intentOf(press("¡", { altKey: true, code: "Digit1" }), typing)).toEqual({ do: "chat", number: 1 });
  expect(does("0", { altKey: true })).toBeUndefined();
  expect(does("1", { altKey: true, getModifierState: (name) => name === "AltGraph" })).toBeUndefined();
});

test("no key does anything while a word is composed or a dialog is open", () => {
  const all: [string, Partial<Press>][] = [["k", { ctrlKey: true }], ["?", {}], ["Escape", {}], ["1", { altKey: true }]];
  for (const [key, more] of all) {
    expect(does(key, more)).toBeDefined();
    expect(does(key, { ...more, isComposing: true })).toBeUndefined();
    expect(does(key, { ...more, keyCode: 229 })).toBeUndefined();
    expect(does(key, more, { ...free, modal: true })).toBeUndefined();
  }
});

test("the palette's key is written as it is on the machine", () => {
  expect(["MacIntel", "iPhone", "Linux x86_64", "Win32"].map(isMac)).toEqual([true, true, false, false]);
  expect([keyOf("K", "MacIntel"), keyOf("K", "Win32")]).toEqual(["⌘K", "Ctrl+K"]);
});
