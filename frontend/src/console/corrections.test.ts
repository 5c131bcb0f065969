import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeSocket } from "../wire/socket.test-kit.ts";
import { Box } from "../wire/storage.ts";
import { browserStorage } from "../wire/storage.test-kit.ts";
import { active, OLGA, SAM, T, VERA, welcome } from "./cast.test-kit.ts";
import { lastOwn, reword, takeBack } from "./corrections.ts";
import { Session } from "./session.ts";
import { find } from "./state.ts";

let session: Session;
let told: string[];

beforeEach(async () => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  FakeSocket.made = [];
  told = [];
  const storage = browserStorage();
  session = new Session({ url: "wss://x/ws/v1/operator", box: new Box(() => storage, "a"), noteBox: new Box(() => storage, "b"), looking: () => false, tell: (t) => told.push(t) });
  session.start();
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.opens();
  FakeSocket.last.says(welcome([active(VERA, ["hello"])]));
  await vi.advanceTimersByTimeAsync(0);
});
afterEach(() => {
  session.stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const chat = () => find(session.state.peek(), VERA)!;
const said = (seq: number, text: string, operator = OLGA) => FakeSocket.last.says({ type: "message_posted", chat: VERA, seq, at: T + seq, author: "operator", ref: `r${seq}`, text, operator, name: "x" });
const sent = (type: string) => FakeSocket.last.sent.filter((f) => f["type"] === type).at(-1)!;

test("what can be corrected is olga's own last message, not a colleague's, the visitor's or one that is deleted", () => {
  expect(lastOwn(session, chat())).toBeNull();
  said(4, "first");
  said(5, "second");
  said(6, "by sam", SAM);
  expect(lastOwn(session, chat())?.text).toBe("second");
  FakeSocket.last.says({ type: "message_deleted", chat: VERA, seq: 7, at: T, author: "operator", target: 5, operator: OLGA });
  expect(lastOwn(session, chat())?.text).toBe("first");
});

test("a message that was reworded reads anew once the server has it, and not before", async () => {
  said(4, "Helo");
  const done = reword(session, VERA, 4, "Hello");
  const command = sent("edit_message");
  expect(command).toMatchObject({ chat: VERA, target: 4, text: "Hello" });
  expect(lastOwn(session, chat())?.text).toBe("Helo");
  FakeSocket.last.says({ type: "ack", id: command["id"], ref: command["ref"], chat: VERA, seq: 5, at: T });
  expect(await done).toBe(true);
  expect(lastOwn(session, chat())).toMatchObject({ text: "Hello", state: "edited" });
  expect(chat().seq).toBe(5);
});

test("a deleted message keeps its place without its text", async () => {
  said(4, "Go away");
  const done = takeBack(session, VERA, 4);
  const command = sent("delete_message");
  FakeSocket.last.says({ type: "ack", id: command["id"], ref: command["ref"], chat: VERA, seq: 5, at: T });
  expect(await done).toBe(true);
  expect(chat().log.find((r) => r.seq === 4)).toMatchObject({ text: "", state: "deleted" });
});

test("where it cannot be done olga is told why, and nothing changes", async () => {
  said(4, "Helo");
  const done = reword(session, VERA, 4, "Hello");
  const command = sent("edit_message");
  FakeSocket.last.says({ type: "failed", id: command["id"], ref: command["ref"], chat: VERA, code: "not_found", field: "target", message: "-" });
  expect(await done).toBe(false);
  expect(told).toEqual(["This message cannot be changed any more."]);
  expect(lastOwn(session, chat())?.text).toBe("Helo");
});
