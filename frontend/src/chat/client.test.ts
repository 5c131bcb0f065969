import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PublicRow, VisitorChatView, VisitorWelcome } from "../wire/protocol.ts";
import { FakeSocket } from "../wire/socket.test-kit.ts";
import { Box } from "../wire/storage.ts";
import { browserStorage } from "../wire/storage.test-kit.ts";
import { type Bridge, Refused } from "./bridge.ts";
import { ChatClient } from "./client.ts";
import { inVain } from "./state.ts";
import { leftMessage } from "./thread.ts";

const AT = 1_760_000_000_000;
const VERAS = "chat-of-vera-uid-00000";
const NEXT = "next-chat-of-vera-0000";

const opened = (uid: string): PublicRow => ({ type: "chat_opened", chat: uid, seq: 1, at: AT, author: "visitor", department: "Sales" });
const ended: PublicRow = { type: "chat_closed", chat: VERAS, seq: 2, at: AT, author: "operator", name: "Olga", state: "closed", reason: "ended" };
const waiting = (uid = VERAS): VisitorChatView => ({ uid, state: "waiting", department: "Sales", department_uid: "d1", started_at: AT, seq: 1, marks: {}, log: [opened(uid)] });
const closed: VisitorChatView = { ...waiting(), state: "closed", closed_at: AT, seq: 2, log: [opened(VERAS), ended] };

function welcome(chat?: VisitorChatView): VisitorWelcome {
  return {
    type: "visitor_welcome", protocol: 1, epoch: "e1", cookie: true, ...(chat && { chat }),
    site: { key: "k", name: "acme", firm: "Acme", color: "#123456", welcome: "", privacy_policy_url: "", departments: [], online: ["d1"], fields: [], notice: { version: 1, text: "", sha256: "" } },
  };
}

let storage: Storage;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("document", Object.assign(new EventTarget(), { visibilityState: "visible" }));
  vi.spyOn(Math, "random").mockReturnValue(1);
  FakeSocket.made = [];
  storage = browserStorage();
  admission = admitted;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const far = () => FakeSocket.last;
const sent = (type: string) => far().sent.filter((f) => f["type"] === type);
const refOf = (n = 0) => String(sent("send_message")[n]?.["ref"]);

let admission: Bridge["admission"];
const admitted = async () => ({ ticket: "t", origin: "https://shop.test", browser: "", url: "" });

/** Vera's frame, welcomed with this chat. A second call is a reload of the page. */
async function vera(chat?: VisitorChatView): Promise<ChatClient> {
  const page = Object.assign(new EventTarget(), { document }) as unknown as Window;
  const bridge = { tell: () => {}, admission: () => admission() };
  const client = new ChatClient("k", new Box(() => storage, "chat"), bridge as unknown as Bridge, page, "wss://chat.test/ws/v1/visitor");
  client.start();
  await vi.advanceTimersByTimeAsync(0);
  far().opens();
  far().says(welcome(chat));
  await vi.advanceTimersByTimeAsync(0);
  return client;
}
const kept = () => Array.from({ length: storage.length }, (_, i) => storage.getItem(storage.key(i)!)).join();

test("what is being written outlives a reload, and is gone from the tab once it is sent and acknowledged (R-121, R-123)", async () => {
  (await vera(waiting())).write("canary in a tunn");
  const again = await vera(waiting());
  expect(again.draft.value).toBe("canary in a tunn");
  again.send("canary in a tunnel");
  expect(again.draft.value).toBe("");
  far().says({ type: "ack", ref: refOf(), chat: VERAS, seq: 2, at: AT });
  expect(again.state.value.chat?.log?.at(-1)).toMatchObject({ text: "canary in a tunnel", seq: 2 });
  expect(kept()).not.toContain("canary");
});

test("a refused message that is taken back stands before what was written since, once", async () => {
  const client = await vera(waiting());
  client.send("first");
  far().says({ type: "failed", ref: refOf(), chat: VERAS, code: "bad_field", message: "", field: "text" });
  client.write("second");
  client.takeBack(refOf());
  client.takeBack(refOf());
  expect(client.draft.value).toBe("first\nsecond");
  expect(client.unsent.value).toEqual([]);
});

test("what came too late for a chat goes along into the next one (docs/protocol.md)", async () => {
  const client = await vera(waiting());
  client.send("one more thing");
  client.write("and ano");
  far().says(ended);
  far().says({ type: "failed", ref: refOf(), chat: VERAS, code: "chat_closed", message: "" });
  expect(client.unsent.value.map((i) => i.failed)).toEqual(["chat_closed"]);
  client.newChat();
  expect(client.draft.value).toBe("one more thing\nand ano");
  far().says({ type: "started", ref: "r", chat: waiting(NEXT) });
  expect(client.state.value.chat?.uid).toBe(NEXT);
  expect(client.draft.value).toBe("one more thing\nand ano");
});

test("the end of the chat takes the draft out of the tab's storage, not out of the visitor's sight (R-123)", async () => {
  const client = await vera(waiting());
  client.write("canary half written");
  far().says(ended);
  expect(client.draft.value).toBe("canary half written");
  expect(kept()).not.toContain("canary");
  expect((await vera(closed)).draft.value === "canary half written").toBe(false);
});

test("an end that was lost on the way is asked for when the position tells of it (V-3)", async () => {
  const client = await vera(waiting());
  far().says({ type: "position", chat: VERAS, seq: 2, marks: 0, epoch: "e1" });
  await vi.advanceTimersByTimeAsync(400);
  expect(sent("resume")).toEqual([{ type: "resume", chat: VERAS, after: 1, epoch: "e1" }]);
  far().says({ type: "resumed", chat: VERAS, log: [ended] });
  expect(client.state.value.chat?.state).toBe("closed");
});

test("a chat that another tab began unheard is fetched, one that was left is not brought back (V-3)", async () => {
  const client = await vera();
  far().says({ type: "position", chat: VERAS, seq: 1, marks: 0, epoch: "e1" });
  expect(sent("resume")).toEqual([{ type: "resume", chat: VERAS, after: 0, epoch: "" }]);
  far().says({ type: "reset", chat: VERAS, epoch: "e1", own: waiting() });
  expect(client.state.value.chat?.uid).toBe(VERAS);
  far().says(ended);
  client.newChat();
  far().says({ type: "position", chat: VERAS, seq: 2, marks: 0, epoch: "e1" });
  expect(sent("resume")).toHaveLength(1);
});

test("after a restore the whole chat is asked for (V-3)", async () => {
  await vera(waiting());
  far().says({ type: "position", chat: VERAS, seq: 1, marks: 0, epoch: "e2" });
  expect(sent("resume")).toHaveLength(1);
});

test.each([1006, 4403])("a site that closes in the middle of a chat is no lost line: the text stays and nobody asks for ever (close %i)", async (code) => {
  const client = await vera(waiting());
  client.write("half a thought");
  admission = async () => {
    throw new Refused();
  };
  far().closes(code);
  await vi.advanceTimersByTimeAsync(600_000);
  expect([client.link.value, client.stoppedBy.value]).toEqual(["stopped", 4404]);
  expect(FakeSocket.made).toHaveLength(1);
  expect(client.state.value.chat?.uid).toBe(VERAS);
  expect(client.draft.value).toBe("half a thought");
  admission = admitted;
  client.again();
  await vi.advanceTimersByTimeAsync(0);
  far().opens();
  far().says(welcome(waiting()));
  expect(client.link.value).toBe("online");
});

test("who waits where nobody is left sees that, and that somebody came; and after a transfer it is the other department that counts (R-034)", async () => {
  const client = await vera(waiting());
  const vain = () => inVain(client.state.value);
  expect(vain()).toBe(false);
  far().says({ type: "availability_changed", online: ["d2"] });
  expect(vain()).toBe(true);
  far().says({ type: "chat_transferred", chat: VERAS, seq: 2, at: AT, author: "operator", department: "Billing", department_uid: "d2", state: "waiting" });
  expect(vain()).toBe(false);
  far().says({ type: "availability_changed", online: ["d1"] });
  expect(vain()).toBe(true);
  far().says({ type: "chat_accepted", chat: VERAS, seq: 3, at: AT, author: "operator", name: "Sam" });
  expect(vain()).toBe(false);
});

test("a chat that ended with a message takes nothing of its form along in the tab (R-123)", async () => {
  const client = await vera(waiting());
  client.box.set("form", '{"email":"canary@example.test"}');
  far().says({ ...ended, author: "visitor", state: "missed", reason: "message" });
  expect(leftMessage(client.state.value.chat!)).toBe(true);
  expect(kept()).not.toContain("canary");
});

test("a flooded site asks for some work; the same chat is then begun with it, and nobody notices (D-2)", async () => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval"] });
  const client = await vera();
  const answer = client.startChat({ fields: { name: "Vera" } });
  const [asked] = sent("start_chat");
  const task = `1760000000.4.${"ab".repeat(32)}`;
  far().says({ type: "failed", id: asked!["id"], ref: asked!["ref"], code: "rate_limited", message: "", work: task });
  await vi.waitFor(() => expect(sent("start_chat")).toHaveLength(2));
  const again = sent("start_chat")[1]!;
  expect(again).toMatchObject({ ref: asked!["ref"], fields: { name: "Vera" } });
  expect(String(again["work"])).toMatch(new RegExp(`^${task}\\.\\d+$`));
  far().says({ type: "started", id: again["id"], ref: again["ref"], chat: waiting() });
  expect(await answer).toMatchObject({ ok: true });
});

test("where the work is not enough either, she is told to wait (D-2)", async () => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval"] });
  const client = await vera();
  const answer = client.startChat({ fields: { name: "Vera" } });
  const refusal = { type: "failed", code: "rate_limited", message: "Too often." };
  far().says({ ...refusal, id: sent("start_chat")[0]!["id"], work: `1760000000.4.${"ab".repeat(32)}` });
  await vi.waitFor(() => expect(sent("start_chat")).toHaveLength(2));
  far().says({ ...refusal, id: sent("start_chat")[1]!["id"] });
  expect(await answer).toMatchObject({ ok: false, code: "rate_limited" });
});
