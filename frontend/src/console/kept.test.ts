/** What an operator has written is kept as long as it should be, and no longer. */
import { expect, test } from "vitest";
import { active, closed, DANA, OLGA, operator, SAM, T, VERA } from "./cast.test-kit.ts";
import { LEFT_SHOWN } from "./places.ts";
import { around, far, olga, refOf, sent, wait } from "./session.test-kit.ts";
import { find } from "./state.ts";

test("a reload keeps drafts and unsent messages, and nothing stays once all is acknowledged (R-123)", async () => {
  let s = await olga([active(VERA)]);
  far().closes(1006);
  s.say(VERA, "canary reply");
  s.note(VERA, "canary note");
  s.drafts.set(VERA, "reply", "canary draft");
  s.stop();
  s = await olga([active(VERA)]);
  expect(s.drafts.get(VERA, "reply")).toBe("canary draft");
  far().says({ type: "ack", ref: refOf(), chat: VERA, seq: 3, at: T });
  far().says({ type: "ack", ref: sent("add_note")[0]?.["ref"], chat: VERA, seq: 1, at: T });
  s.drafts.set(VERA, "reply", "");
  expect(find(s.state.value, VERA)).toMatchObject({ seq: 3, staffSeq: 1 });
  const left = Array.from({ length: around.storage.length }, (_, i) => around.storage.getItem(around.storage.key(i)!)).join();
  expect(left).not.toContain("canary");
});

test("a chat that ends takes the draft out of the storage and leaves it on the screen until it is dismissed (R-123)", async () => {
  const s = await olga([active(VERA)]);
  s.drafts.set(VERA, "reply", "canary: half an answer");
  far().says(closed(VERA, 3));
  expect(s.drafts.get(VERA, "reply")).toBe("canary: half an answer");
  const kept = Array.from({ length: around.storage.length }, (_, i) => around.storage.getItem(around.storage.key(i)!)).join();
  expect(kept).not.toContain("canary");
  s.dismiss(VERA);
  expect(s.drafts.get(VERA, "reply")).toBe("");
});

test("a message that is being reworded is kept over a reload, and the end of its chat leaves it on the screen alone (R-123)", async () => {
  let s = await olga([active(VERA), active(DANA)]);
  s.drafts.set(VERA, "reply", "a begun reply");
  s.drafts.reword(VERA, { target: 3, text: "canary: Hello Vera" });
  s.drafts.reword(DANA, { target: 3, text: "Hello Dana" });
  s.drafts.set(VERA, "reply", "");
  s.stop();
  s = await olga([active(VERA), active(DANA)]);
  expect(s.drafts.rewordings.value.get(VERA)).toEqual({ target: 3, text: "canary: Hello Vera" });
  s.drafts.reword(DANA, null);
  far().says(closed(VERA, 3));
  expect([...s.drafts.rewordings.value.keys()]).toEqual([VERA]);
  expect(around.storage.getItem("console:drafts") ?? "").not.toContain("canary");
  s.dismiss(VERA);
  expect(s.drafts.rewordings.value.size).toBe(0);
});

test("what was begun in a chat that ended while the tab was closed is told once and not kept (R-123)", async () => {
  let s = await olga([active(VERA), active(DANA)]);
  s.drafts.set(VERA, "reply", "canary: half an answer");
  s.drafts.set(DANA, "reply", "Dear Dana");
  s.stop();
  s = await olga([active(DANA)]);
  expect(around.told).toEqual([expect.stringContaining("canary: half an answer")]);
  expect(s.drafts.chats).toEqual([DANA]);
});

test("of a hundred chats that ended and were never dismissed the newest stay, and all that hold words", async () => {
  const uid = (n: number) => `chat-number-${String(n).padStart(10, "0")}`;
  const s = await olga(Array.from({ length: 100 }, (_, n) => ({ ...active(uid(n)), accepted_at: T + n })));
  s.drafts.set(uid(0), "reply", "half an answer");
  for (let n = 0; n < 100; n++) far().says(closed(uid(n), 3));
  expect(s.state.value.chats.size).toBe(LEFT_SHOWN + 1);
  expect([uid(0), uid(1), uid(99)].map((each) => s.state.value.chats.has(each))).toEqual([true, false, true]);
});

test("a note that was begun goes on as a note after olga looked elsewhere or reloaded", async () => {
  let s = await olga([active(VERA)]);
  s.drafts.set(VERA, "reply", "Dear Vera");
  s.drafts.set(VERA, "note", "she paid twi");
  expect(s.drafts.mode(VERA)).toBe("note");
  s.stop();
  s = await olga([active(VERA)]);
  expect([s.drafts.mode(VERA), s.drafts.get(VERA, "note"), s.drafts.get(VERA, "reply")]).toEqual(["note", "she paid twi", "Dear Vera"]);
  s.drafts.set(VERA, "note", "");
  expect([s.drafts.mode(VERA), s.drafts.mode(DANA)]).toEqual(["reply", "reply"]);
});

test("another operator who logs in to the same tab finds nothing and sends nothing of olga's", async () => {
  let s = await olga([active(VERA)]);
  far().closes(1006);
  s.say(VERA, "from olga");
  s.drafts.set(VERA, "reply", "half a");
  s.stop();
  s = await olga([], { me: operator(SAM, "Sam", []) });
  await wait(10);
  expect([s.unsent.value, s.drafts.get(VERA, "reply"), sent("send_message")]).toEqual([[], "", []]);
});

test("a page that was made for another operator has forgotten olga's words before the line is up", async () => {
  const s = await olga([active(VERA)]);
  s.drafts.set(VERA, "reply", "half a");
  far().closes(1006);
  s.belongTo(OLGA);
  expect(s.drafts.get(VERA, "reply")).toBe("half a");
  s.belongTo(SAM);
  expect([s.drafts.get(VERA, "reply"), s.unsent.value]).toEqual(["", []]);
});
