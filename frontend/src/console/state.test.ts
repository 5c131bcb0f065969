import { expect, test } from "vitest";
import type { Synced } from "../wire/protocol.ts";
import { accepted, active, closed, DANA, OLGA, operator, SALES, SAM, says, SUPPORT, T, VERA, view, welcome } from "./cast.test-kit.ts";
import { apply, dismiss, find, type Frame, incomplete, mine, nothing, open, readHere, type State, unread, waiting } from "./state.ts";

const after = (...frames: Frame[]): State => frames.reduce((s, f) => apply(s, f, T), nothing);
const texts = (s: State, uid: string) => find(s, uid)?.log.map((r) => (r.type === "message_posted" ? r.text : r.type));
const typingOf = (s: State, uid: string) => find(s, uid)?.typingAt;

test("the snapshot says who waits and whom olga answers, longest wait first", () => {
  const s = after(welcome([view(VERA), view(DANA, { started_at: T - 5000 }), active("chat-of-ana-uid-000000")]));
  expect(waiting(s).map((c) => c.uid)).toEqual([DANA, VERA]);
  expect(mine(s).map((c) => c.uid)).toEqual(["chat-of-ana-uid-000000"]);
});

test("a frame that comes twice changes nothing the second time", () => {
  const frames: Frame[] = [welcome([view(VERA)]), accepted(VERA, 2, OLGA, "Olga"), says(VERA, 3, "hello"), says(VERA, 4, "there")];
  const once = after(...frames);
  expect(frames.slice(1).reduce((s, f) => apply(s, f, T), once)).toBe(once);
  expect(texts(once, VERA)).toEqual(["chat_opened", "chat_accepted", "hello", "there"]);
});

test("the snapshot before and the events make the snapshot after (V-2)", () => {
  const events: Frame[] = [accepted(VERA, 2, OLGA, "Olga"), says(VERA, 3, "hello"), says(VERA, 4, "anybody?")];
  const told = after(welcome([view(VERA)]), ...events);
  expect(told).toEqual(after(welcome([active(VERA, ["hello", "anybody?"])])));
});

test("rows that overtook each other wait for their turn, in whatever order they come", () => {
  const rows = [says(VERA, 3, "a"), says(VERA, 4, "b"), says(VERA, 5, "c")] as const;
  for (const order of [[2, 1, 0], [1, 2, 0], [2, 0, 1], [0, 2, 1]]) {
    let s = after(welcome([active(VERA)]));
    for (const i of order) s = apply(s, rows[i]!, T);
    expect(texts(s, VERA)?.slice(2)).toEqual(["a", "b", "c"]);
    expect(incomplete(s)).toEqual([]);
  }
});

test("a row behind a gap is not shown until the rows before it came with the answer to resume", () => {
  let s = after(welcome([active(VERA)]), says(VERA, 5, "c"));
  expect(texts(s, VERA)).toHaveLength(2);
  expect(incomplete(s).map((c) => [c.uid, c.seq])).toEqual([[VERA, 2]]);
  s = apply(s, { type: "resumed", chat: VERA, log: [says(VERA, 3, "a"), says(VERA, 4, "b"), says(VERA, 5, "c")] }, T);
  expect(texts(s, VERA)?.slice(2)).toEqual(["a", "b", "c"]);
});

test("a note has its place in the staff log and leaves the public log alone", () => {
  const note = { type: "note_added", chat: VERA, staff_seq: 1, at: T, ref: "n1", operator: SAM, name: "Sam", text: "VIP" } as const;
  const s = after(welcome([active(VERA)]), note, note);
  expect(find(s, VERA)).toMatchObject({ seq: 2, staffSeq: 1, notes: [{ text: "VIP" }] });
});

test("an edit replaces the text of its message and a deletion empties it", () => {
  const own = { chat: VERA, at: T, author: "visitor" } as const;
  const s = after(
    welcome([active(VERA, ["frist", "oops"])]),
    { type: "message_edited", seq: 5, target: 3, text: "first", ...own },
    { type: "message_deleted", seq: 6, target: 4, ...own },
  );
  expect(find(s, VERA)?.log.slice(2, 4)).toMatchObject([{ text: "first", state: "edited" }, { text: "", state: "deleted" }]);
});

test("a chat that sam accepts leaves olga's waiting list", () => {
  const s = after(welcome([view(VERA)]), accepted(VERA, 2, SAM, "Sam"));
  expect([waiting(s), mine(s), s.chats.size]).toEqual([[], [], 0]);
});

test("a chat that olga reads when sam accepts it stays on the screen until she looks away", () => {
  let s = apply(open(after(welcome([view(VERA)])), VERA), accepted(VERA, 2, SAM, "Sam"), T);
  expect(find(s, VERA)).toMatchObject({ left: "taken", operatorName: "Sam" });
  expect(mine(s)).toEqual([]);
  s = open(s, "");
  expect(find(s, VERA)).toBeUndefined();
});

test("a chat that ended stays readable until olga dismisses it", () => {
  let s = after(welcome([active(VERA, ["bye"])]), closed(VERA, 4));
  expect(mine(s).map((c) => [c.uid, c.left])).toEqual([[VERA, "ended"]]);
  expect(texts(s, VERA)).toContain("bye");
  s = dismiss(s, VERA);
  expect(s.chats.size).toBe(0);
});

test("a chat transferred to another department leaves, one transferred to olga's stays", () => {
  const to = { type: "chat_transferred", chat: VERA, seq: 2, at: T, author: "operator", state: "waiting" } as const;
  const away = after(welcome([view(VERA)]), { ...to, department: "Support", department_uid: SUPPORT.uid });
  expect(waiting(away)).toEqual([]);
  const here = after(welcome([view(VERA, { department: SUPPORT })]), { ...to, department: "Sales", department_uid: SALES.uid });
  expect(waiting(here).map((c) => c.department.name)).toEqual(["Sales"]);
});

test("a chat transferred from sam to olga becomes hers when it is listed, with all that was said", () => {
  const s = after(welcome(), { type: "chat_listed", chat: active(VERA, ["hello"]) });
  expect(mine(s).map((c) => c.uid)).toEqual([VERA]);
  expect(texts(s, VERA)).toContain("hello");
});

test("the missed chats stand in the server's order, whatever order they came in", () => {
  const missed = (uid: string, closed_at: number) => ({ type: "chat_listed", chat: view(uid, { state: "missed", closed_at }) }) as const;
  const s = after(welcome(), missed("a", T + 1), missed("b", T + 3), missed("c", T + 2), missed("d", T + 2));
  expect(s.missed.map((c) => c.uid)).toEqual(["b", "d", "c", "a"]);
});

test("a missed chat goes from waiting to the top of missed", () => {
  const s = after(
    welcome([view(VERA)], { missed: [view(DANA, { state: "missed" })] }),
    closed(VERA, 2, "missed"),
    { type: "chat_listed", chat: view(VERA, { state: "missed", closed_at: T + 2000, seq: 2 }) },
  );
  expect(waiting(s)).toEqual([]);
  expect(s.missed.map((c) => c.uid)).toEqual([VERA, DANA]);
});

test("unread counts the visitor's messages after the mark and falls when they are read here", () => {
  let s = after(welcome([active(VERA, ["a", "b"])]), says(VERA, 5, "c"), says(VERA, 6, "mine", "operator"));
  expect(unread(find(s, VERA)!)).toBe(3);
  s = apply(s, { type: "marks_changed", chat: VERA, side: "operator", delivered: 6, read: 3 }, T);
  expect(unread(find(s, VERA)!)).toBe(2);
  s = readHere(s, VERA, 6);
  expect(unread(find(s, VERA)!)).toBe(0);
});

test("unread messages older than the rows we hold are counted as the server said", () => {
  const log = [says(VERA, 90, "x"), says(VERA, 91, "y")];
  const s = after(welcome([{ ...active(VERA), log, seq: 91, unread_count: 40 }]));
  expect(unread(find(s, VERA)!)).toBe(40);
  expect(unread(find(readHere(s, VERA, 91), VERA)!)).toBe(0);
});

test("marks only grow, whatever order they come in", () => {
  const mark = { type: "marks_changed", chat: VERA, side: "visitor" } as const;
  const s = after(welcome([active(VERA)]), { ...mark, delivered: 5, read: 4 }, { ...mark, delivered: 3, read: 2 });
  expect(find(s, VERA)?.marks).toMatchObject({ visitor_delivered: 5, visitor_read: 4 });
});

test("typing stops by itself when the message arrives", () => {
  let s = after(welcome([active(VERA)]), { type: "typing_changed", chat: VERA, side: "visitor", on: true });
  expect(typingOf(s, VERA)).toBe(T);
  s = apply(s, says(VERA, 3, "done"), T);
  expect(typingOf(s, VERA)).toBe(0);
});

test("older news of a colleague never overwrites newer", () => {
  const online = operator(SAM, "Sam", [], true);
  let s = after(welcome(), { type: "operator_changed", operator: online, version: 5 });
  s = apply(s, { type: "operator_changed", operator: operator(SAM, "Sam", [], false), version: 4 }, T);
  expect(s.team.find((o) => o.uid === SAM)?.online).toBe(true);
});

test("the account's target is that of the snapshot, and 60 s with a server that knows none", () => {
  const synced: Synced = { type: "synced", chats: [], gone: [], log: [], notes: [], missed: [], team: [], version: 9, digest: "", epoch: "e1", target_seconds: 300 };
  expect(after(welcome()).target).toBe(60);
  expect(after(welcome([], { target_seconds: 20 })).target).toBe(20);
  expect(after(welcome([], { target_seconds: 20 }), synced).target).toBe(300);
});

test("after a cut line the snapshot is the truth, and what ended meanwhile stays readable (R-121)", () => {
  let s = open(after(welcome([active(VERA, ["a"]), active(DANA, ["b"])])), VERA);
  s = apply(s, welcome([active(DANA, ["b", "c"]), view("chat-of-new-uid-000000")]), T);
  expect(texts(s, DANA)).toEqual(["chat_opened", "chat_accepted", "b", "c"]);
  expect(waiting(s)).toHaveLength(1);
  expect(s.open).toBe(VERA);
  expect(find(s, VERA)).toMatchObject({ left: "gone", wasMine: true });
  s = apply(s, { type: "resumed", chat: VERA, log: [closed(VERA, 4)] }, T);
  expect(find(s, VERA)?.left).toBe("ended");
});

test("a snapshot that is older than an event already applied does not take it back", () => {
  const s = after(welcome([active(VERA, ["a"])]), says(VERA, 4, "b"), { type: "chat_listed", chat: active(VERA, ["a"]) });
  expect(texts(s, VERA)?.slice(2)).toEqual(["a", "b"]);
});

test("earlier rows that were fetched survive the next snapshot", () => {
  const tail = { ...active(VERA), log: [says(VERA, 3, "c"), says(VERA, 4, "d")], seq: 4 };
  const older = { type: "messages", chat: VERA, log: [says(VERA, 1, "a"), says(VERA, 2, "b")] } as const;
  const s = after(welcome([tail]), { ...older, log: [...older.log] }, welcome([tail]));
  expect(texts(s, VERA)).toEqual(["a", "b", "c", "d"]);
});

test("another epoch throws away what was known of the old one", () => {
  const s = after(welcome([active(VERA, ["a"])]), welcome([active(VERA)], { epoch: "e2" }));
  expect(texts(s, VERA)).toEqual(["chat_opened", "chat_accepted"]);
});

test("a reset replaces the chat, and without a view the chat is no longer ours", () => {
  const reset = { type: "reset", chat: VERA, epoch: "e1" } as const;
  const replaced = after(welcome([active(VERA, ["a", "b"])]), { ...reset, view: active(VERA, ["z"]) });
  expect(texts(replaced, VERA)?.slice(2)).toEqual(["z"]);
  expect(find(after(welcome([active(VERA, ["a"])]), reset), VERA)?.left).toBe("gone");
});

test("the differences of a sync bring what was lost: a new chat, one that went, rows, marks and the team (R-121)", () => {
  const s = after(welcome([view(VERA), active(DANA)]), {
    type: "synced",
    chats: [view("chat-of-new-uid-000000")],
    gone: [VERA],
    log: [says(DANA, 3, "lost and found")],
    notes: [],
    marks: [{ chat: DANA, visitor_delivered: 2, visitor_read: 1, operator_delivered: 0, operator_read: 0 }],
    missed: [view(VERA, { state: "missed" })],
    team: [operator(OLGA, "Olga", [SALES.uid], false)],
    version: 9,
    digest: "",
    epoch: "e1",
  });
  expect(waiting(s).map((c) => c.uid)).toEqual(["chat-of-new-uid-000000"]);
  expect(s.missed.map((c) => c.uid)).toEqual([VERA]);
  expect(texts(s, DANA)).toContain("lost and found");
  expect(find(s, DANA)?.marks).toMatchObject({ visitor_delivered: 2, visitor_read: 1 });
  expect([s.version, s.me?.online, s.team.length]).toEqual([9, false, 1]);
});

test("a frame of a kind that only a newer server sends is passed over", () => {
  const s = after(welcome([view(VERA)]));
  expect(apply(s, { type: "chat_sung", chat: VERA } as unknown as Frame, T)).toBe(s);
});

test("a prepared reply is news once; where some were lost the position is not that of the server, which brings them all", () => {
  const reply = (uid: string, shortcut: string) => ({ uid, shortcut, text: "x" });
  let state = apply(nothing, welcome([], { canned: [reply("b", "hours"), reply("a", "fee")], canned_version: 4 }));
  const names = () => state.canned?.map((c) => c.shortcut);
  expect(names()).toEqual(["fee", "hours"]);
  state = apply(state, { type: "canned_reply_saved", reply: reply("a", "free"), version: 5 });
  state = apply(state, { type: "canned_reply_deleted", canned: "b", version: 6 });
  state = apply(state, { type: "canned_reply_saved", reply: reply("b", "late"), version: 5 });
  expect([names(), state.cannedVersion]).toEqual([["free"], 6]);
  state = apply(state, { type: "canned_reply_saved", reply: reply("c", "after"), version: 8 });
  expect([names(), state.cannedVersion]).toEqual([["after", "free"], 6]);
});

test("an older server knows no prepared replies, so none are offered", () => {
  expect(apply(nothing, welcome([])).canned).toBeNull();
});
