import { expect, test } from "vitest";
import { FakeSocket } from "../wire/socket.test-kit.ts";
import { accepted, active, closed, DANA, OLGA, operator, SALES, SAM, says, T, VERA, view, welcome } from "./cast.test-kit.ts";
import { digest } from "./digest.ts";
import { around, far, greeted, live, olga, refOf, sent, wait } from "./session.test-kit.ts";
import { find, mine, unread } from "./state.ts";
import { say } from "./strings.ts";

/** A `synced` that tells of nothing. */
const nothingNew = { type: "synced", chats: [], gone: [], log: [], notes: [], missed: [], team: [], version: 3, digest: "00000000", epoch: "e1" };

test("an ack becomes the event of olga's own message (docs/decisions/0004)", async () => {
  const s = await olga([active(VERA, ["hi"])]);
  s.say(VERA, "hello Vera");
  expect(s.unsent.value).toHaveLength(1);
  far().says({ type: "ack", ref: refOf(), chat: VERA, seq: 4, at: T });
  expect(find(s.state.value, VERA)?.log.at(-1)).toMatchObject({ type: "message_posted", seq: 4, text: "hello Vera", author: "operator", operator: OLGA });
  expect(s.unsent.value).toEqual([]);
});

test("what was not acknowledged is sent again after the line came back, in order and with the same refs (R-007)", async () => {
  const s = await olga([active(VERA)]);
  s.say(VERA, "one");
  s.say(VERA, "two");
  s.note(VERA, "call back");
  const first = refOf();
  far().closes(1006);
  await wait(600);
  await greeted(welcome([active(VERA)]));
  expect(sent("send_message").map((f) => [f["ref"], f["text"]])).toEqual([[first, "one"]]);
  far().says({ type: "ack", ref: first, chat: VERA, seq: 3, at: T });
  expect(sent("send_message").map((f) => f["text"])).toEqual(["one", "two"]);
  expect(sent("add_note").map((f) => f["text"])).toEqual(["call back"]);
});

test("a console that was sent away knows it, so that it does not call for chats that others answer", async () => {
  const s = await olga([active(VERA)]);
  expect(s.stopped.value).toBe(false);
  far().closes(4401);
  expect(s.stopped.value).toBe(true);
  const other = await olga([active(VERA)]);
  far().closes(1006);
  expect(other.stopped.value).toBe(false);
});

test("a gap is waited for, then asked for once", async () => {
  const s = await olga([active(VERA, ["a"])]);
  far().says(says(VERA, 5, "c"));
  await wait(250);
  expect(sent("resume")).toEqual([]);
  await wait(100);
  expect(sent("resume")).toEqual([{ type: "resume", chat: VERA, after: 3, staff_after: 0, epoch: "e1" }]);
  far().says({ type: "resumed", chat: VERA, log: [says(VERA, 4, "b"), says(VERA, 5, "c")] });
  await live(4000);
  expect(sent("resume")).toHaveLength(1);
  expect(find(s.state.value, VERA)?.seq).toBe(5);
});

test("a position that differs is answered by a sync, one that agrees by nothing", async () => {
  const s = await olga([view(VERA)]);
  far().says({ type: "position", digest: digest(s.state.value), version: 3, epoch: "e1" });
  expect(sent("sync")).toEqual([]);
  far().says({ type: "position", digest: "00000000", version: 3, epoch: "e1" });
  expect(sent("sync")).toEqual([{ type: "sync", positions: { [VERA]: [1, 0, 0] }, epoch: "e1" }]);
});

test("while a row is held back no position is compared", async () => {
  await olga([active(VERA)]);
  far().says(says(VERA, 9, "early"));
  far().says({ type: "position", digest: "00000000", version: 3, epoch: "e1" });
  expect(sent("sync")).toEqual([]);
});

test("two that disagree even after a sync start afresh", async () => {
  await olga([view(VERA)]);
  const differs = { type: "synced", chats: [], gone: [], log: [], notes: [], missed: [], team: [], version: 3, digest: "00000000", epoch: "e1" };
  far().says(differs);
  await wait(1000);
  expect(sent("sync")).toHaveLength(1);
  far().says(differs);
  await wait(0);
  expect(FakeSocket.made).toHaveLength(2);
});

test("a chat whose end was lost on the way is said to have ended, not to be somebody else's", async () => {
  const s = await olga([active(VERA, ["a"])]);
  far().says({ type: "synced", chats: [], gone: [VERA], log: [], notes: [], missed: [], team: [], version: 3, digest: "00000000", epoch: "e1" });
  expect(find(s.state.value, VERA)?.left).toBe("gone");
  expect(sent("resume")).toEqual([{ type: "resume", chat: VERA, after: 3, staff_after: 0, epoch: "e1" }]);
  far().says({ type: "resumed", chat: VERA, log: [closed(VERA, 4)] });
  expect(find(s.state.value, VERA)?.left).toBe("ended");
});

test("what was erased while the line was away goes from the screen, with the draft (R-151)", async () => {
  const s = await olga([active(VERA, ["I was in a crash"])]);
  s.drafts.set(VERA, "reply", "I am sorry to hear");
  far().closes(1006);
  await wait(600);
  await greeted(welcome([]));
  expect(sent("sync")).toEqual([{ type: "sync", positions: { [VERA]: [3, 0, 0] }, epoch: "e1" }]);
  far().says({ ...nothingNew, gone: [VERA], erased: [VERA] });
  expect(find(s.state.value, VERA)).toBeUndefined();
  expect(s.drafts.texts(VERA)).toEqual([]);
  expect(around.told).toEqual([say.talk.erased]);
});

test("a list that was read before an erasure and comes after it does not bring the chat back for long (R-151)", async () => {
  const s = await olga([active(VERA, ["I was in a crash"])]);
  far().says({ type: "chat_erased", chat: VERA, version: 4 });
  expect(s.state.value.version).toBe(4);
  far().says({ ...nothingNew, chats: [active(VERA, ["I was in a crash"])] });
  expect(find(s.state.value, VERA)).toBeDefined();
  far().says({ type: "position", digest: digest(s.state.value), version: 4, epoch: "e1" });
  expect(sent("sync")).toHaveLength(1);
  far().says({ ...nothingNew, gone: [VERA], erased: [VERA], version: 4 });
  expect(find(s.state.value, VERA)).toBeUndefined();
});

test("an erasure that overtook other news of the account is carried out, and the others are asked for", async () => {
  const s = await olga([active(VERA)]);
  far().says({ type: "chat_erased", chat: VERA, version: 6 });
  expect(find(s.state.value, VERA)).toBeUndefined();
  await wait(400);
  expect(sent("sync")).toHaveLength(1);
});

test("news of a colleague that were lost are noticed by the version", async () => {
  await olga([]);
  far().says({ type: "operator_changed", operator: operator(SAM, "Sam", [], true), version: 6 });
  await wait(400);
  expect(sent("sync")).toHaveLength(1);
});

test("a message is delivered when it is here and read only while olga looks at the open chat", async () => {
  const s = await olga([active(VERA, ["a"]), active(DANA, ["b"])]);
  await wait(200);
  expect(sent("mark")).toEqual([
    { type: "mark", chat: VERA, delivered: 3, read: 0 },
    { type: "mark", chat: DANA, delivered: 3, read: 0 },
  ]);
  s.show(VERA);
  await wait(200);
  expect(sent("mark")).toHaveLength(2); // open, but the window is behind another
  around.looking = true;
  s.looked();
  await wait(200);
  expect(sent("mark").at(-1)).toEqual({ type: "mark", chat: VERA, delivered: 3, read: 3 });
  expect(unread(find(s.state.value, VERA)!)).toBe(0);
  expect(unread(find(s.state.value, DANA)!)).toBe(1);
});

test("marks that were lost with the line are told again", async () => {
  around.looking = true;
  const s = await olga([active(VERA, ["a"])]);
  s.show(VERA);
  await wait(200);
  far().closes(1006);
  await wait(600);
  await greeted(welcome([active(VERA, ["a"])]));
  await wait(200);
  expect(sent("mark")).toEqual([{ type: "mark", chat: VERA, delivered: 3, read: 3 }]);
});

test("the one who accepts second is told, and the chat of the first one goes", async () => {
  const s = await olga([view(VERA)]);
  const done = s.accept(VERA);
  expect(s.busy.value.has(VERA)).toBe(true);
  far().says({ type: "failed", id: sent("accept_chat")[0]?.["id"], code: "chat_already_taken", message: "…" });
  far().says(accepted(VERA, 2, SAM, "Sam"));
  expect(await done).toBe(false);
  expect(around.told).toEqual(["Somebody else accepted this chat first."]);
  expect([s.state.value.chats.size, s.busy.value.size]).toEqual([0, 0]);
});

test("accepting opens the chat; a new chat opens nothing by itself", async () => {
  const s = await olga([view(VERA)]);
  const done = s.accept(VERA);
  far().says({ type: "done", id: sent("accept_chat")[0]?.["id"] });
  expect(await done).toBe(true);
  far().says(accepted(VERA, 2, OLGA, "Olga"));
  far().says({ type: "chat_listed", chat: view(DANA) });
  expect(s.state.value.open).toBe(VERA);
  expect(mine(s.state.value).map((c) => c.uid)).toEqual([VERA]);
});

test("a slow answer to an accept does not pull olga out of the chat she has turned to", async () => {
  const s = await olga([view(VERA), active(DANA)]);
  const done = s.accept(VERA);
  s.show(DANA);
  far().says({ type: "done", id: sent("accept_chat")[0]?.["id"] });
  expect(await done).toBe(false);
  expect(s.state.value.open).toBe(DANA);
});

test("without a line olga is told that nothing happened", async () => {
  const s = await olga([view(VERA)]);
  far().closes(1006);
  expect(await s.accept(VERA)).toBe(false);
  expect(around.told[0]).toMatch(/No connection/);
});

test("a message to a chat that ended is kept with its reason until olga decides", async () => {
  const s = await olga([active(VERA)]);
  s.say(VERA, "too late");
  far().says(closed(VERA, 3));
  far().says({ type: "failed", code: "chat_closed", message: "…", ref: refOf(), chat: VERA });
  expect(s.unsent.value).toMatchObject([{ text: "too late", failed: "chat_closed" }]);
  s.dismiss(VERA);
  expect(s.unsent.value).toEqual([]);
});

test("a refusal of a moment is tried again by itself", async () => {
  const s = await olga([active(VERA)]);
  s.say(VERA, "hello");
  far().says({ type: "failed", code: "unavailable", message: "…", ref: refOf(), chat: VERA });
  await live(2500);
  expect(sent("send_message").map((f) => f["ref"])).toEqual([refOf(), refOf()]);
  expect(s.unsent.value[0]?.failed).toBe("");
});

test("typing is told at most every three seconds, without text, and taken back when olga pauses", async () => {
  const s = await olga([active(VERA)]);
  s.typed(VERA, "h");
  s.typed(VERA, "he");
  expect(sent("set_typing")).toEqual([{ type: "set_typing", chat: VERA, on: true }]);
  await live(3000);
  s.typed(VERA, "hel");
  expect(sent("set_typing")).toHaveLength(2);
  await live(5500);
  expect(sent("set_typing").at(-1)).toEqual({ type: "set_typing", chat: VERA, on: false });
});

test("what ended while the line was down is asked for, so that its end can be read", async () => {
  const s = await olga([active(VERA, ["a"])]);
  far().closes(1006);
  await wait(600);
  await greeted(welcome([]));
  expect(sent("resume")).toEqual([{ type: "resume", chat: VERA, after: 3, staff_after: 0, epoch: "e1" }]);
  far().says({ type: "resumed", chat: VERA, log: [closed(VERA, 4)] });
  expect(find(s.state.value, VERA)).toMatchObject({ left: "ended", state: "closed" });
});

test("the switch says what the server carried out", async () => {
  const s = await olga([], { me: operator(OLGA, "Olga", [SALES.uid], false) });
  const done = s.setAvailability(true);
  expect(s.state.value.me?.availability).toBe("away");
  far().says({ type: "done", id: sent("set_availability")[0]?.["id"] });
  await done;
  expect(s.state.value.me?.availability).toBe("online");
});

test("every position is answered, so that olga's Online is true (V-14)", async () => {
  const session = await olga([active(VERA)]);
  expect(sent("still_here")).toHaveLength(1);
  for (const n of [2, 3]) {
    far().says({ type: "position", digest: digest(session.state.value), version: 3, epoch: "e1" });
    await wait(0);
    expect(sent("still_here")).toHaveLength(n);
  }
  expect(sent("sync")).toEqual([]);
});

test("what olga lost is told until she has seen it, also after a reload", async () => {
  const returned = [{ chat: VERA, at: T, number: 7, name: "Vera" }];
  const session = await olga([view(VERA)], { returned });
  expect(session.lost.value).toEqual(returned);
  session.seenLost();
  expect(session.lost.value).toEqual([]);
  session.stop();
  expect((await olga([view(VERA)], { returned })).lost.value).toEqual([]);
  far().says({ type: "operator_changed", operator: operator(SAM, "Sam", []), version: 4 });
});

test("words for a chat that had gone are refused with a reason of their own and stay", async () => {
  const session = await olga([active(VERA)]);
  session.say(VERA, "where were we");
  far().says({ type: "chat_returned", chat: VERA, seq: 3, at: T, author: "system", operator: OLGA, name: "Olga", reason: "lost" });
  const [message] = sent("send_message");
  far().says({ type: "failed", code: "chat_returned", message: "", ref: message!["ref"], chat: VERA });
  await wait(0);
  expect(session.unsent.value).toMatchObject([{ text: "where were we", failed: "chat_returned" }]);
  far().says(accepted(VERA, 4, SAM, "Sam"));
  await wait(0);
  expect(session.unsent.value).toHaveLength(1);
  expect(mine(session.state.value)).toMatchObject([{ uid: VERA, left: "taken" }]);
});

test("who catches up too fast for the server asks again when it says, once for each chat (D-1)", async () => {
  await olga([active(VERA)]);
  far().says(says(VERA, 9, "Are you there?"));
  await wait(400);
  expect(sent("resume")).toHaveLength(1);
  const limited = { type: "failed", code: "rate_limited", message: "Too fast.", retry_after_ms: 700 };
  for (let i = 0; i < 3; i++) far().says({ ...limited, chat: VERA });
  await wait(600);
  expect(sent("resume")).toHaveLength(1);
  await wait(200);
  expect(sent("resume")).toHaveLength(2);
  far().says(limited);
  await wait(600);
  expect(sent("sync")).toHaveLength(0);
  await wait(200);
  expect(sent("sync")).toHaveLength(1);
});
