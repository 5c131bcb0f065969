import { expect, test } from "vitest";
import type { PublicRow, VisitorChatView, VisitorWelcome } from "../wire/protocol.ts";
import { apply, type ChatState, type Incoming, isOpen, marked, NOTHING, unreadCount } from "./state.ts";

const row = { chat: "c1", at: 1000 } as const;
const opened: PublicRow = { ...row, type: "chat_opened", seq: 1, author: "visitor", department: "Sales" };
const asks: PublicRow = { ...row, type: "message_posted", seq: 2, author: "visitor", ref: "r2", text: "Hello?" };
const joins: PublicRow = { ...row, type: "chat_accepted", seq: 3, author: "operator", operator: "o", name: "Olga" };
const answers: PublicRow = { ...row, type: "message_posted", seq: 4, author: "operator", name: "Olga", text: "Hi" };
const ends: PublicRow = { ...row, type: "chat_closed", seq: 5, author: "operator", state: "closed", reason: "ended" };

const waiting: VisitorChatView = { uid: "c1", state: "waiting", department: "Sales", department_uid: "d1", started_at: 1000, seq: 1, marks: {}, position: 2, log: [opened] };
const welcome: VisitorWelcome = {
  type: "visitor_welcome", protocol: 1, epoch: "e1", chat: waiting,
  site: { key: "k", name: "acme", firm: "Acme", color: "#123456", welcome: "", privacy_policy_url: "", departments: [], online: ["d1"], fields: [], notice: { version: 1, text: "", sha256: "" } },
};
const play = (...frames: Incoming[]): ChatState => [welcome, ...frames].reduce(apply, NOTHING);

test("vera waits, olga joins, they talk, olga ends it", () => {
  expect(play().chat?.position).toBe(2);
  const talking = play(asks, joins, answers);
  expect(talking.chat).toMatchObject({ state: "active", operator_name: "Olga", seq: 4 });
  const over = play(asks, joins, answers, ends);
  expect(over.chat?.state).toBe("closed");
  expect(isOpen(over.chat)).toBe(false);
});

test("every frame may come twice and in any old repetition: the state is the same", () => {
  const all: Incoming[] = [
    asks, { type: "queue_moved", chat: "c1", position: 1 }, joins,
    { type: "typing_changed", chat: "c1", side: "operator", on: true }, answers,
    { type: "marks_changed", chat: "c1", side: "operator", delivered: 3, read: 2 },
    { type: "availability_changed", online: [] },
  ];
  const once = play(...all);
  expect(play(...all.flatMap((f) => [f, f]))).toEqual(once);
  expect(play(...all, asks, joins, answers, { type: "marks_changed", chat: "c1", side: "operator", delivered: 1, read: 1 })).toEqual(once);
});

test("the state after the events is the state that a snapshot taken then would give", () => {
  const live = play(asks, joins, answers, { type: "marks_changed", chat: "c1", side: "operator", delivered: 2, read: 2 });
  const snapshot: VisitorChatView = {
    ...waiting, state: "active", operator_name: "Olga", position: 0, minutes: 0, seq: 4, log: [opened, asks, joins, answers], marks: { operator_delivered: 2, operator_read: 2 },
  };
  expect(live).toEqual(apply(NOTHING, { ...welcome, chat: snapshot }));
});

test("marks only grow", () => {
  const far = play({ type: "marks_changed", chat: "c1", side: "operator", delivered: 9, read: 8 });
  expect(apply(far, { type: "marks_changed", chat: "c1", side: "operator", delivered: 3, read: 3 }).chat?.marks).toMatchObject({ operator_delivered: 9, operator_read: 8 });
});

test("what is said about another chat changes nothing", () => {
  const before = play();
  for (const f of [{ ...answers, chat: "c2", seq: 2 }, { type: "queue_moved", chat: "c2", position: 1 }, { type: "typing_changed", chat: "c2", side: "operator", on: true }] as Incoming[]) {
    expect(apply(before, f)).toBe(before);
  }
});

test("olga's typing sign goes when her message comes, and vera's own is not shown to her", () => {
  const typing = play(asks, joins, { type: "typing_changed", chat: "c1", side: "operator", on: true });
  expect(typing.typing).toBe(true);
  expect(apply(typing, answers).typing).toBe(false);
  expect(play({ type: "typing_changed", chat: "c1", side: "visitor", on: true }).typing).toBe(false);
});

test("unread are the operator's messages beyond the mark, not the own ones and not the system's", () => {
  const state = play(asks, joins, answers);
  expect(unreadCount(state.chat)).toBe(1);
  expect(unreadCount(marked(state, 4, 4).chat)).toBe(0);
});

test("after a transfer vera waits again, in the other department, or talks with the other operator", () => {
  const moved = { ...row, type: "chat_transferred", author: "operator", seq: 4, department: "Billing", department_uid: "d2" } as const;
  expect(play(asks, joins, { ...moved, state: "waiting" }).chat).toMatchObject({ state: "waiting", department: "Billing", operator_name: "" });
  expect(play(asks, joins, { ...moved, state: "active", to_operator: "s", to_name: "Sam" }).chat).toMatchObject({ state: "active", operator_name: "Sam" });
});

test("a reset replaces the chat, or takes it away", () => {
  const state = play(asks);
  const reset = { type: "reset", epoch: "e2" } as const;
  expect(apply(state, { ...reset, chat: "c1", own: waiting })).toMatchObject({ epoch: "e2", chat: { seq: 1 } });
  expect(apply(state, { ...reset, chat: "c1" }).chat).toBeNull();
  expect(apply(state, { ...reset, chat: "other" })).toBe(state);
});

test("a late answer to `start_chat` does not throw away what came since", () => {
  const state = play(asks, joins);
  expect(apply(state, { type: "started", ref: "r", chat: waiting })).toBe(state);
});

test("a chat that began in another tab unheard is taken when nothing goes on here, and never instead of one", () => {
  const other: VisitorChatView = { ...waiting, uid: "c2" };
  const reset = (own?: VisitorChatView): Incoming => ({ type: "reset", chat: "c2", epoch: "e1", ...(own && { own }) });
  const { chat: _, ...empty } = welcome;
  expect(apply(apply(NOTHING, empty), reset(other)).chat?.uid).toBe("c2");
  expect(play(asks, joins, answers, ends, reset(other)).chat?.uid).toBe("c2");
  expect(play(reset(other)).chat?.uid).toBe("c1");
  expect(play(reset({ ...other, state: "closed" })).chat?.uid).toBe("c1");
  expect(apply(apply(NOTHING, empty), reset({ ...other, state: "closed" })).chat).toBeNull();
  expect(play(reset()).chat?.uid).toBe("c1");
});

test("about how long it takes comes with the place in line, goes with it, and is never a guess (R-034)", () => {
  const inLine = apply(NOTHING, { ...welcome, chat: waiting, reply_minutes: { d1: 3 } });
  expect(inLine.replies).toEqual({ d1: 3 });
  expect(apply(NOTHING, welcome).replies).toEqual({});
  const told = apply(inLine, { type: "queue_moved", chat: "c1", position: 2, minutes: 5 });
  expect(told.chat).toMatchObject({ position: 2, minutes: 5 });
  expect(apply(told, { type: "queue_moved", chat: "c1", position: 1 }).chat).toMatchObject({ position: 1, minutes: 0 });
  expect(apply(told, { ...joins, seq: 2 }).chat).toMatchObject({ position: 0, minutes: 0 });
});
