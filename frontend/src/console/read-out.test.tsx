import { signal } from "@preact/signals";
import { render } from "preact";
import { beforeEach, expect, test, vi } from "vitest";
import { active, says, T, VERA } from "./cast.test-kit.ts";
import { Conversation } from "./conversation.tsx";
import type { Desk } from "./desk.ts";
import { drawable, type Place } from "./dom.test-kit.ts";
import { far, olga, sent, wait } from "./session.test-kit.ts";
import { DRAWN } from "./thread.ts";
import { views } from "./views.ts";

let root: Place;
beforeEach(() => {
  root = drawable() as unknown as Place;
  vi.stubGlobal("ResizeObserver", class { observe() {} disconnect() {} });
});

/** How a screen reader is told of what comes into the conversation. */
const live = () => root.first((each) => each.attributes.get("role") === "log")?.attributes.get("aria-live");
const text = () => root.textContent;
const asksForEarlier = async () => {
  root.first((each) => each.localName === "button" && each.textContent === "Show earlier messages")!.press();
  await wait(0);
};

async function reads(held: number, until: number) {
  const chat = active(VERA, Array.from({ length: until }, (_, n) => `line ${n}.`));
  const session = await olga([{ ...chat, log: chat.log!.slice(-held) }]);
  const desk = { ...views(session.state), session, now: signal(T), atEnd: signal(true) } as unknown as Desk;
  const Open = () => <Conversation desk={desk} chat={session.open.value!} onTakeBack={() => {}} onReword={() => {}} onDelete={() => {}} />;
  session.show(VERA);
  render(<Open />, root as unknown as Element);
  await wait(0);
  return chat.log!;
}

test("earlier messages that olga asks for are shown and not read out; the next that is said is (issue 4 C)", async () => {
  const log = await reads(150, 150);
  expect(live()).toBe("polite");
  expect(text()).not.toContain("line 80.");
  await asksForEarlier();
  expect(text()).toContain(`line ${150 - DRAWN - 1}.`);
  expect(live()).toBe("off");
  far().says(says(VERA, log.at(-1)!.seq + 1, "and now?"));
  await wait(0);
  expect(text()).toContain("and now?");
  expect(live()).toBe("polite");
});

test("nor are those that the server had to be asked for", async () => {
  const log = await reads(40, 60);
  await asksForEarlier();
  const question = sent("load_messages")[0]!;
  far().says({ type: "messages", id: question["id"], chat: VERA, log: log.slice(0, -40), more: false });
  await wait(0);
  expect(text()).toContain("line 0.");
  expect(live()).toBe("off");
});
