/** Names that the build takes away from the chat must be nobody else's: not the browser's, the wire's or another file's. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { chat } from "./words/en.ts";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const listed = (list: string) => new RegExp(`${list} = (.*)`).exec(read("../build.mjs"))![1]!.match(/\w+/g)!;
const names = [...Object.keys(chat).filter((name) => /[A-Z]/.test(name) && !listed("BROWSERS_TOO").includes(name)), ...listed("CHATS_OWN")];

/** Whether a text has a property of this name: `.name`, `name:`, `name?:`, `name(` or `"name"`. */
const has = (text: string, name: string) => new RegExp(`[.?]${name}\\b|\\b${name}\\??\\s*[:(]|["'\`]${name}["'\`]`).test(text);

test("the list is found, and what it says is true of what was built", () => {
  expect(names.length).toBeGreaterThan(60);
  expect(names).toContain("whoLeft");
  const built = read("../../static/dist/chat.js");
  expect(names.filter((name) => new RegExp(`\\.${name}\\b`).test(built))).toEqual([]);
});

/** TypeScript keeps what it knows of browsers in a package of each machine's own. */
const typescript = (() => {
  const packages = new URL("../node_modules/@typescript/", import.meta.url);
  return `../node_modules/@typescript/${readdirSync(packages).find((each) => each.startsWith("typescript-"))}/lib`;
})();

test.each([
  ["the browser", `${typescript}/lib.dom.d.ts`],
  ["the language", `${typescript}/lib.es5.d.ts`],
  ["the wire", "./wire/protocol.ts"],
  ["the page of its own", "./chat/hosted.ts"],
  ["polling", "./wire/poll.ts"],
  ["the sound", "./chat/sound.ts"],
  ["the emoji", "./chat/emoji.ts"],
  ["the transcript", "./chat/transcript.ts"],
  ["the survey", "./chat/survey.ts"],
])("%s knows none of them", (_who, path) => {
  expect(names.filter((name) => has(read(path), name))).toEqual([]);
});

test("what loader and frame tell each other keeps its names", () => {
  const told = /\/\*\* Loader -> frame[\s\S]*?\n\n(?=\S*(?:export )?(?:interface|class|const|function))/.exec(read("./chat/bridge.ts"))![0];
  expect(told).toContain("refused?: boolean");
  expect(names.filter((name) => has(told, name))).toEqual([]);
});
