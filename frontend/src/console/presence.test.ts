import { expect, test } from "vitest";
import type { ChatReturned, GoneVisitor, OperatorChanged, Position, PresenceChanged } from "../wire/protocol.ts";
import { accepted, active, DANA, OLGA, operator, SALES, SAM, says, SUPPORT, T, VERA, view, welcome } from "./cast.test-kit.ts";
import { apply, availability, dismiss, find, type Frame, isReturned, mine, nothing, type State, waiting } from "./state.ts";
import { farewell, GONE_MS, goneWords, lineOf, standing } from "./words.ts";

const after = (...frames: Frame[]): State => frames.reduce((s, f) => apply(s, f, T), nothing);
const returned = (chat: string, seq: number, by = OLGA, name = "Olga"): ChatReturned =>
  ({ type: "chat_returned", chat, seq, at: T + seq * 1000, author: "system", operator: by, name, reason: "lost" });
const presence = (chat: string, is: PresenceChanged["presence"]): PresenceChanged => ({ type: "presence_changed", chat, presence: is, at: T });

test("a chat that was lost waits for everybody of the department, in the place of its first wait (V-14)", () => {
  const listed = view(VERA, { started_at: T - 9000, returned_at: T + 3000, log: [...active(VERA, [], SAM).log!, returned(VERA, 3, SAM, "Sam")], seq: 3 });
  const s = after(welcome([view(DANA)]), { type: "chat_listed", chat: listed });
  expect(waiting(s).map((c) => [c.uid, isReturned(c)])).toEqual([[VERA, true], [DANA, false]]);
  expect(s.returned).toEqual([]);
});

test("olga's own chat goes to Waiting before her eyes, and is noted as lost until she takes it again", () => {
  const lost = after(welcome([active(VERA)]), returned(VERA, 3));
  expect(mine(lost)).toEqual([]);
  expect(waiting(lost).map((c) => c.uid)).toEqual([VERA]);
  expect(lost.returned).toEqual([{ chat: VERA, at: T + 3000, number: 7, name: "Vera" }]);
  const again = apply(lost, accepted(VERA, 4, OLGA, "Olga"), T);
  expect(again.returned).toEqual([]);
  expect(mine(again).map((c) => c.uid)).toEqual([VERA]);
  expect(isReturned(find(again, VERA)!)).toBe(false);
});

test("what a colleague took stays to be read until dismissed, with what was not sent in it", () => {
  const s = after(welcome([active(VERA)]), returned(VERA, 3), accepted(VERA, 4, SAM, "Sam"));
  expect(mine(s)).toMatchObject([{ uid: VERA, left: "taken", wasMine: true }]);
  expect(farewell(find(s, VERA)!)).toContain("Sam");
  expect(mine(dismiss(s, VERA))).toEqual([]);
});

test("a chat of a department that is not olga's leaves her lists, and she can read why", () => {
  const s = after(welcome([{ ...active(VERA), department: SUPPORT }]), returned(VERA, 3));
  expect(waiting(s)).toEqual([]);
  expect(mine(s)).toMatchObject([{ uid: VERA, left: "returned" }]);
  expect(farewell(find(s, VERA)!)).toContain("went back to the line");
});

test("who comes back after a while finds what went: waiting still, or with somebody else", () => {
  const before = after(welcome([active(VERA), active(DANA)]));
  const lost = [{ chat: VERA, at: T, number: 7, name: "Vera" }, { chat: DANA, at: T, number: 8, name: "Dana" }];
  const back = welcome([view(VERA, { returned_at: T, seq: 3, log: [...active(VERA).log!, returned(VERA, 3)] })], { returned: lost });
  const s = apply(before, back, T);
  expect(waiting(s)).toMatchObject([{ uid: VERA, wasMine: true }]);
  expect(mine(s)).toMatchObject([{ uid: DANA, left: "returned" }]);
  expect(s.returned).toEqual(lost);
});

test("news of a loss that comes twice is one loss", () => {
  const s = after(welcome([active(VERA)]), returned(VERA, 3), returned(VERA, 3), says(VERA, 4, "hello?"));
  expect(s.returned).toHaveLength(1);
});

test("a visitor who left is shown as gone after a moment, and as here at once (V-14)", () => {
  const s = after(welcome([active(VERA)]), { type: "typing_changed", chat: VERA, side: "visitor", on: true }, presence(VERA, "left"));
  const vera = find(s, VERA)!;
  expect(goneWords(vera, T + GONE_MS - 1)).toBe(""); // from one page to the next
  expect(goneWords(vera, T + GONE_MS)).toBe("Left the page");
  expect(vera.typingAt).toBe(0);
  expect(goneWords(find(apply(s, presence(VERA, "lost"), T), VERA)!, T + GONE_MS)).toBe("Connection lost");
  expect(goneWords(find(apply(s, presence(VERA, "here"), T), VERA)!, T + GONE_MS)).toBe("");
  expect(s).toEqual(apply(after(welcome([{ ...active(VERA), presence: "left", gone_at: T }])), presence(VERA, "left"), T));
});

test("who writes is there, though the news of her return was lost; what she wrote before says nothing", () => {
  const s = after(welcome([active(VERA)]), { ...presence(VERA, "lost"), at: T + 3500 });
  expect(find(apply(s, says(VERA, 3, "before"), T), VERA)).toMatchObject({ presence: "lost", goneAt: T + 3500 });
  const both = [says(VERA, 3, "before"), says(VERA, 4, "after")].reduce((state, row) => apply(state, row, T), s);
  expect(find(both, VERA)).toMatchObject({ presence: "here", goneAt: 0 });
});

test("a coming or going that olga did not hear of heals with the next position (V-14, R-121)", () => {
  const position = (...gone: GoneVisitor[]): Position => ({ type: "position", digest: "", version: 3, epoch: "e1", gone });
  const left: GoneVisitor = { chat: VERA, presence: "left", at: T };
  const s = after(welcome([active(VERA), view(DANA)]), position(left));
  expect(goneWords(find(s, VERA)!, T + GONE_MS)).toBe("Left the page");
  expect(find(s, DANA)).toMatchObject({ presence: "here" });
  expect(apply(s, position(left), T)).toBe(s);
  expect(find(apply(s, position(), T), VERA)).toMatchObject({ presence: "here", goneAt: 0 });
  // she has written since, and the server is about to say that she is here
  expect(find(after(welcome([active(VERA, ["hello?"])]), position(left)), VERA)).toMatchObject({ presence: "here" });
  // an older server says nothing of it
  const { gone: _, ...silent } = position();
  expect(apply(s, silent, T)).toBe(s);
});

test("of a chat that has ended nobody says that its visitor is gone", () => {
  const s = after(welcome([active(VERA)]), presence(VERA, "left"), { type: "chat_closed", chat: VERA, seq: 3, at: T, author: "system", state: "closed", reason: "idle" });
  expect(goneWords(find(s, VERA)!, T + GONE_MS)).toBe("");
});

test("a colleague who is Online and not heard of is not connected", () => {
  expect(standing(operator(SAM, "Sam", []))).toBe("online");
  expect(standing(operator(SAM, "Sam", [], false))).toBe("away");
  expect(standing({ ...operator(SAM, "Sam", []), online: false })).toBe("not connected");
});

test("after a long absence olga is told why she is away, until she is not", () => {
  const me = operator(OLGA, "Olga", [SALES.uid], false);
  const s = after(welcome([], { me, away_since: T - 7_200_000 }));
  expect(s.awaySince).toBe(T - 7_200_000);
  expect(availability(s, true).awaySince).toBe(0);
  const news: OperatorChanged = { type: "operator_changed", operator: operator(OLGA, "Olga", [SALES.uid]), version: 4 };
  expect(apply(s, news, T).awaySince).toBe(0);
});

test("the row says who was lost, to herself as well", () => {
  expect(lineOf(returned(VERA, 3), SAM)).toBe("Olga lost the connection, so the chat waits again");
  expect(lineOf(returned(VERA, 3), OLGA)).toBe("You lost the connection, so the chat waits again");
  expect(lineOf({ ...returned(VERA, 3), reason: "withdrawn" }, SAM)).toBe("The chat waits again, because Olga cannot answer it any more");
});
