import { expect, test } from "vitest";
import { accepted, active, closed, OLGA, SAM, says, T, VERA, view, welcome } from "./cast.test-kit.ts";
import { apply, find, nothing } from "./state.ts";
import { newestOwn, thread } from "./thread.ts";
import { addressOf, ago, lastWords, lineOf, pagePath, visitorName, waited } from "./words.ts";

const chatOf = (...args: Parameters<typeof welcome>) => find(apply(nothing, welcome(...args), T), VERA)!;
const visitor = (name: string) => visitorName({ uid: "v", number: 7, name });

test("a name is shown as it was given, and one without anything visible as a number (R-030)", () => {
  for (const name of ["X", "李", "O'Brien", "Jean-Luc de la Tour", "<b>x</b>", "=1+1", "عمر", "🦊".repeat(200)]) expect(visitor(name)).toBe(name);
  expect(visitor("")).toBe("Visitor 7");
  expect(visitor("\u202e \u200b\u2066")).toBe("Visitor 7");
  expect(visitor("evil\u202eexe.cod")).not.toMatch(/[\u202a-\u202e]/);
});

test("times are short where they are glanced at", () => {
  expect([0, 42_000, 725_000, 3_723_000, -5].map(waited)).toEqual(["0:00", "0:42", "12:05", "1:02:03", "0:00"]);
  expect([10_000, 240_000, 7_300_000, 3 * 86_400_000].map(ago)).toEqual(["now", "4 min", "2 h", "3 d"]);
});

test("who left a message is answered where they asked, whoever uses the browser since (R-122)", () => {
  const chat = { ...chatOf(), state: "missed" as const, startedAt: T, closedAt: T, answers: [{ name: "email", label: "Email", value: "vera@post.test" }] };
  const later = { ...chat, visitor: { ...chat.visitor, email: "mallory@evil.test" } };
  expect(addressOf(later)).toBe("vera@post.test");
  expect(addressOf({ ...later, closedAt: T + 5 })).toBe("mallory@evil.test");
});

test("the page is named by its place, and what is no web address is not shown as one", () => {
  expect(pagePath("https://harbor.test/injuries/car")).toBe("harbor.test/injuries/car");
  expect(pagePath("https://harbor.test/")).toBe("harbor.test");
  expect(pagePath("https://harbor.test/%E0%A4%A")).toBe("harbor.test/%E0%A4%A");
  expect(pagePath("javascript:alert(1)")).toBe("");
});

test("what happened to a chat is told from olga's side", () => {
  expect(lineOf(accepted(VERA, 2, OLGA, "Olga"), OLGA)).toBe("You accepted the chat");
  expect(lineOf(accepted(VERA, 2, SAM, "Sam"), OLGA)).toBe("Sam accepted the chat");
  expect(lineOf(closed(VERA, 3), OLGA)).toBe("The visitor ended the chat");
  const moved = { type: "chat_transferred", chat: VERA, seq: 3, at: T, author: "operator", operator: SAM, name: "Sam", department: "Sales", department_uid: "d", state: "active", to_operator: OLGA } as const;
  expect(lineOf(moved, OLGA)).toBe("Sam transferred the chat to you");
});

test("a visitor who left, one who was not answered and one who left a message are told apart", () => {
  const end = { ...closed(VERA, 3, "missed"), reason: "left" } as const;
  expect(lineOf(end, OLGA)).toBe("The visitor left before anybody answered");
  expect(lineOf({ ...end, reason: "idle" }, OLGA)).toBe("Nobody answered in time");
  expect(lineOf({ ...end, reason: "message" }, OLGA)).toBe("The visitor left a message");
  const left = view(VERA, { state: "missed", closed_at: T });
  const lines = thread(chatOf([], { missed: [left] }), OLGA, [], [], true).flatMap((i) => (i.kind === "line" ? [i.text] : []));
  expect(lines).toEqual(["Message left for Sales"]);
});

test("the last words say who said them, and a deleted text is not repeated", () => {
  const chat = chatOf([active(VERA, ["hi"])]);
  expect(lastWords(chat)).toBe("hi");
  const log = [...chat.log, says(VERA, 4, "hello", "operator")];
  expect(lastWords({ ...chat, log })).toBe("You: hello");
  expect(lastWords({ ...chat, log: [{ ...says(VERA, 4, ""), state: "deleted" }] })).toBe("Message deleted");
});

test("bubbles of one person within five minutes form a run", () => {
  const items = thread(chatOf([active(VERA, ["a", "b"])]), OLGA, [], [], true).filter((i) => i.kind === "bubble");
  expect(items.map((i) => [i.text, i.first, i.last])).toEqual([["a", true, false], ["b", false, true]]);
});

test("each day begins with its line", () => {
  const chat = chatOf([active(VERA, ["a"])]);
  const tomorrow = { ...says(VERA, 4, "b"), at: T + 86_400_000 };
  const kinds = thread({ ...chat, log: [...chat.log, tomorrow] }, OLGA, [], [], true).map((i) => i.kind);
  expect(kinds).toEqual(["day", "line", "line", "bubble", "day", "bubble"]);
});

test("a note stands where it was written and what is not yet sent at the end", () => {
  const note = { type: "note_added", chat: VERA, staff_seq: 1, at: T + 3500, ref: "n", operator: SAM, name: "Sam", text: "careful" } as const;
  const chat = chatOf([{ ...active(VERA, ["a", "b"]), notes: [note], staff_seq: 1 }]);
  const unsent = { ref: "u", chat: VERA, text: "c", at: T + 9000, failed: "" };
  const texts = (online: boolean) => thread(chat, OLGA, [unsent], [], online).flatMap((i) => (i.kind === "bubble" ? [`${i.from} ${i.text} ${i.delivery}`.trim()] : []));
  expect(texts(true)).toEqual(["visitor a", "note careful", "visitor b", "own c sending"]);
  expect(texts(false).at(-1)).toBe("own c held");
});

test("sent, delivered and read follow the visitor's marks", () => {
  const own = [3, 4, 5].map((seq) => ({ ...says(VERA, seq, `m${seq}`, "operator"), operator: OLGA }));
  const chat = chatOf([view(VERA, { state: "active", operator: OLGA, log: own, seq: 5, marks: { visitor_read: 3, visitor_delivered: 4 } })]);
  const items = thread(chat, OLGA, [], [], true);
  expect(items.flatMap((i) => (i.kind === "bubble" ? [i.delivery] : []))).toEqual(["read", "delivered", "sent"]);
  expect(newestOwn(items)).toBe(`ref-${VERA}-5`);
});
