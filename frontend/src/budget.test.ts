import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const dist = new URL("../../static/dist/", import.meta.url);
const read = (name: string) => readFileSync(new URL(name, dist));
const gz = (...names: string[]) => names.reduce((n, f) => n + gzipSync(read(f), { level: 9 }).length, 0);
const manifest = JSON.parse(read("manifest.json").toString()) as Record<string, { integrity: string; bytes: number }>;

test("before the chat is opened a page has loaded at most 6 KB of ours", () => {
  expect(gz("loader.js")).toBeLessThanOrEqual(6_000);
});

test("an open chat has loaded at most 35 KB in all, and a KB more where its words are longer", () => {
  const chats = Object.keys(manifest).filter((name) => /^chat(\.[a-z]{2})?\.js$/.test(name));
  expect(chats).toHaveLength(6);
  for (const chat of chats) expect(gz("loader.js", chat, "chat.css"), chat).toBeLessThanOrEqual(chat === "chat.js" ? 35_000 : 36_000);
});

test("the loader is ASCII, so that a page in any encoding may hold it", () => {
  expect(read("loader.js").every((byte) => byte < 128)).toBe(true);
});

test("the loader uses nothing that a strict policy or Trusted Types would stop (trials C)", () => {
  expect(read("loader.js").toString()).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function|createElement\("style"\)|\.src=[^;]*\.js/);
});

test("nobody is sent a message without naming whom (P-2)", () => {
  for (const name of ["loader.js", "chat.js"]) expect(read(name).toString()).not.toMatch(/postMessage\([^)]*["'`]\*["'`]/);
});

test("the manifest says what the files are", () => {
  for (const [name, facts] of Object.entries(manifest)) {
    const body = read(name);
    expect(facts.bytes, name).toBe(body.length);
    expect(facts.integrity, name).toBe("sha384-" + createHash("sha384").update(body).digest("base64"));
  }
});
