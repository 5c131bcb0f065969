import { expect, test } from "vitest";
import type { PublicRow, VisitorChatView } from "../wire/protocol.ts";
import { dayName } from "./format.ts";
import { type BubbleItem, facesOf, wasMissed, type Item, spoken, thread } from "./thread.ts";

const noon = new Date(2026, 5, 1, 12).getTime();
let seq = 0;
const row = (over: Partial<PublicRow> & { type: PublicRow["type"] }): PublicRow => ({ chat: "c", seq: ++seq, at: noon, author: "visitor", ...over }) as PublicRow;
const chat = (log: PublicRow[], marks = {}): VisitorChatView => ({ uid: "c", state: "active", department: "Sales", department_uid: "d1", started_at: noon, seq: log.length, marks, log });
const bubbles = (items: Item[]) => items.filter((i): i is BubbleItem => i.kind === "bubble");

test("vera's messages say in words how far they came", () => {
  seq = 0;
  const log = [1, 2, 3, 4].map((n) => row({ type: "message_posted", text: `m${n}`, ref: `r${n}` }));
  const unsent = [
    { ref: "r4", chat: "c", text: "m4", at: noon, failed: "" },
    { ref: "r5", chat: "c", text: "m5", at: noon, failed: "" },
    { ref: "r6", chat: "c", text: "m6", at: noon, failed: "rate_limited" },
    { ref: "r7", chat: "other", text: "m7", at: noon, failed: "" },
  ];
  const view = chat(log, { operator_read: 1, operator_delivered: 3 });
  expect(bubbles(thread(view, unsent, true)).map((b) => b.becameOf)).toEqual(["read", "delivered", "delivered", "sent", "sending", "failed"]);
  expect(bubbles(thread(view, unsent, false)).map((b) => b.becameOf)).toEqual(["read", "delivered", "delivered", "sent", "held", "failed"]);
});

test("a message keeps its place on the screen when its ack comes", () => {
  seq = 0;
  const before = bubbles(thread(chat([]), [{ ref: "r1", chat: "c", text: "m", at: noon, failed: "" }], true));
  const after = bubbles(thread(chat([row({ type: "message_posted", text: "m", ref: "r1" })]), [], true));
  expect(before[0]!.key).toBe(after[0]!.key);
});

test("what one person says in a row is one group, with the name once", () => {
  seq = 0;
  const says = (author: "visitor" | "operator", minutes: number) => row({ type: "message_posted", author, text: "x", name: author === "operator" ? "Olga" : "", at: noon + minutes * 60_000 });
  const items = bubbles(thread(chat([says("operator", 0), says("operator", 1), says("visitor", 2), says("operator", 3), says("operator", 20)]), [], true));
  expect(items.map((b) => (b.first ? "[" : "") + (b.last ? "]" : ""))).toEqual(["[", "]", "[]", "[]", "[]"]);
});

test("what happened to the chat is said in the order it happened, edits and deletions at their target", () => {
  seq = 0;
  const items = thread(chat([
    row({ type: "chat_opened", department: "Sales" }),
    row({ type: "chat_accepted", author: "operator", name: "Olga" }),
    row({ type: "message_edited", target: 1, text: "y" }),
    row({ type: "chat_transferred", author: "operator", department: "Billing", department_uid: "d", state: "waiting" }),
    row({ type: "chat_closed", author: "system", state: "missed", reason: "ended" }),
  ]), [], true);
  expect(items.map((i) => (i.kind === "line" ? i.text : i.kind))).toEqual([
    "day", "You started a chat with \u2068Sales\u2069", "\u2068Olga\u2069 is here to help", "Your chat went on to \u2068Billing\u2069", "Nobody could answer in time",
  ]);
});

test("each day has its line, and the near ones their names", () => {
  seq = 0;
  const log = [row({ type: "message_posted", text: "a", at: noon - 86_400_000 }), row({ type: "message_posted", text: "b" })];
  expect(thread(chat(log), [], true).filter((i) => i.kind === "day")).toHaveLength(2);
  expect([noon, noon - 86_400_000].map((at) => dayName(at, noon))).toEqual(["Today", "Yesterday"]);
});

test("only the newest own message carries its state", () => {
  seq = 0;
  const log = [row({ type: "message_posted", text: "a", ref: "r1" }), row({ type: "message_posted", text: "b", ref: "r2" }), row({ type: "message_posted", text: "c", author: "operator" })];
  expect(spoken(thread(chat(log), [], true))).toBe("r2");
  expect(spoken([])).toBe("");
});

test("vera who ends a chat that nobody took is not told that nobody came", () => {
  const end = { type: "chat_closed", state: "missed", reason: "left" } as const;
  const lastLine = (author: "visitor" | "system") => {
    seq = 0;
    const view = { ...chat([row({ ...end, author })]), state: "missed" as const };
    return [thread(view, [], true).map((i) => (i.kind === "line" ? i.text : "")).at(-1), wasMissed(view)];
  };
  expect(lastLine("visitor")).toEqual(["You ended the chat", false]);
  expect(lastLine("system")).toEqual(["Nobody could answer in time", true]);
});

test("what olga says stands beside her picture, and what sam says after her beside his", () => {
  seq = 0;
  const said = (operator: string) => row({ type: "message_posted", author: "operator", operator, name: operator, text: "Hello" });
  const log = [
    row({ type: "chat_accepted", author: "operator", operator: "olga", name: "Olga", picture: "p1" }), said("olga"),
    row({ type: "chat_transferred", author: "operator", operator: "olga", to_operator: "sam", to_name: "Sam", department: "Intake", department_uid: "d1", state: "active" }), said("sam"), said("olga"),
  ];
  expect(bubbles(thread(chat(log), [], true)).map((b) => b.picture)).toEqual(["p1", undefined, "p1"]);
  expect([facesOf(chat(log))["now"], facesOf(chat(log.slice(0, 2)))["now"], facesOf(chat([]))["now"]]).toEqual([undefined, "p1", undefined]);
});
