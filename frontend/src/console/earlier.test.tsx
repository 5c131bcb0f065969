import { signal } from "@preact/signals";
import { render } from "preact";
import { beforeEach, expect, test, vi } from "vitest";
import type { EarlierChat } from "../wire/protocol.ts";
import { active, T, VERA } from "./cast.test-kit.ts";
import type { Desk } from "./desk.ts";
import { drawable, type Place } from "./dom.test-kit.ts";
import { EarlierChats } from "./earlier.tsx";
import { far, greeted, olga, sent, wait } from "./session.test-kit.ts";
import { welcome } from "./cast.test-kit.ts";

let root: Place;
beforeEach(() => {
  root = drawable() as unknown as Place;
  vi.stubGlobal("requestAnimationFrame", () => 0); // where the focus goes is for a browser's test
});

const chat = (n: number, more: Partial<EarlierChat> = {}): EarlierChat => ({ uid: `chat-before-number-${n}`, started_at: T - n * 86_400_000, department: "Sales", operator_name: "Sam", words: `question ${n}`, ...more });
const asked = () => sent("load_earlier");
const says = async (more: object) => {
  far().says({ type: "earlier", id: asked().at(-1)!["id"], chat: VERA, ...more });
  await wait(0);
};
const text = () => root.textContent;
const press = async (name: string) => {
  root.first((each) => each.localName === "button" && each.textContent === name)!.press();
  await wait(0);
};

async function looks() {
  const session = await olga([active(VERA, ["hello"])]);
  const desk = { session, now: signal(T) } as unknown as Desk;
  render(<EarlierChats desk={desk} chat={VERA} />, root as unknown as Element);
  await wait(200); // effects run behind a frame
}

test("olga sees what the visitor asked before, page by page, and what was erased, archived, left or missed as that", async () => {
  await looks();
  expect(text()).toContain("Loading earlier chats");
  expect(asked()).toEqual([{ type: "load_earlier", id: expect.any(Number), chat: VERA }]);
  await says({ chats: [chat(1), chat(2, { erased: true, words: "" }), chat(3, { archived: true, words: "" })], more: true, hidden: 2 });
  for (const words of ["question 1", "answered by", "Sam", "What was said has been erased.", "Open it to read", "Archive"]) expect(text()).toContain(words);
  expect(text()).not.toContain("may not read"); // until the list is whole
  expect(root.first((each) => each.localName === "a")!.attributes.get("href")).toBe("/account/chats/chat-before-number-1/");
  await press("Show older chats");
  expect(asked()[1]).toMatchObject({ chat: VERA, older_than: "chat-before-number-3" });
  await says({ chats: [chat(4, { operator_name: "", message: true }), chat(5, { operator_name: "" })] });
  for (const words of ["question 1", "message", "nobody answered", "2 more that you may not read"]) expect(text()).toContain(words);
  expect(text()).not.toContain("Show older");
});

test("the first chat of somebody is said to be the first", async () => {
  await looks();
  await says({ chats: [] });
  expect(text()).toContain("None, this is the first");
});

test("while the line is away it is said, and the list comes by itself when the line is back", async () => {
  await looks();
  far().closes(1006);
  await wait(200);
  expect(text()).toContain("when the connection is back");
  await wait(6_000);
  await greeted(welcome([active(VERA, ["hello"])]));
  await wait(200);
  expect(asked()).toHaveLength(1);
  await says({ chats: [chat(1)] });
  expect(text()).toContain("question 1");
});

test("what could not be loaded is loaded when olga asks again", async () => {
  await looks();
  far().says({ type: "failed", id: asked()[0]!["id"], code: "unavailable", message: "" });
  await wait(0);
  expect(text()).toContain("could not be loaded");
  await press("Try again");
  await says({ chats: [chat(1)] });
  expect(text()).toContain("question 1");
  expect(text()).not.toContain("could not be loaded");
});
