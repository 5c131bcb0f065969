import { render } from "preact";
import { afterEach, expect, test, vi } from "vitest";
import { drawable, type Place } from "../console/dom.test-kit.ts";
import type { MessagePosted } from "../wire/protocol.ts";
import { FakeSocket } from "../wire/socket.test-kit.ts";
import { Box } from "../wire/storage.ts";
import { browserStorage } from "../wire/storage.test-kit.ts";
import type { Bridge } from "./bridge.ts";
import { ChatClient } from "./client.ts";
import { Conversation } from "./conversation.tsx";
import { useValue } from "./value.ts";

const CHAT = "chat-of-vera-uid-00000";
const says = (seq: number): MessagePosted => ({ type: "message_posted", chat: CHAT, seq, at: 1_760_000_000_000 + seq, author: "operator", name: "Olga", text: `line ${seq}.` });
const site = { key: "k", name: "acme", firm: "Acme", color: "#123456", welcome: "", privacy_policy_url: "", departments: [], online: ["d1"], fields: [], notice: { version: 1, text: "", sha256: "" } };
const chat = { uid: CHAT, state: "active", department: "Sales", department_uid: "d1", started_at: 0, seq: 5, marks: {}, log: [4, 5].map(says) };
const wait = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("what was said before is shown when vera asks for it, is not read out, and leaves her where she reads (issue 4 C)", async () => {
  vi.useFakeTimers();
  const root = drawable() as unknown as Place;
  const page = Object.assign(document, new EventTarget(), { visibilityState: "visible", addEventListener() {}, activeElement: document.body });
  for (const [name, value] of Object.entries({ WebSocket: FakeSocket, document: page, ResizeObserver: class { observe() {} disconnect() {} } })) vi.stubGlobal(name, value);
  const bridge = { tell: () => {}, admission: async () => ({ ticket: "t", origin: "https://shop.test", browser: "", url: "" }) };
  const storage = browserStorage();
  const client = new ChatClient("k", new Box(() => storage, "chat"), bridge as unknown as Bridge, Object.assign(new EventTarget(), { document: page }) as unknown as Window, "wss://chat.test/ws/v1/visitor");
  client.start();
  await wait();
  FakeSocket.last.opens();
  FakeSocket.last.says({ type: "visitor_welcome", protocol: 1, epoch: "e1", cookie: true, chat, site });
  await wait();
  const Open = () => <Conversation client={client} chat={useValue(client.state).chat!} />;
  render(<Open />, root as unknown as Element);
  const box = root.first((each) => each.attributes.get("class") === "scroll" || (each as { className?: string }).className === "scroll")! as Place & { scrollTop: number; clientHeight: number };
  const log = root.first((each) => each.attributes.get("role") === "log")!;
  Object.defineProperty(box, "scrollHeight", { get: () => 20 * log.childNodes.length });
  Object.assign(box, { scrollTop: 0, clientHeight: 10 });
  const focused = vi.spyOn(box, "focus");
  FakeSocket.last.says(says(6));
  await wait();
  expect(log.attributes.get("aria-live")).toBe("polite");
  const before = box.scrollTop = 3;
  const high = log.childNodes.length;

  root.first((each) => each.localName === "button" && each.textContent === "Show earlier messages")!.press();
  await wait();
  const { id } = FakeSocket.last.sent.find((each) => each["type"] === "load_messages")!;
  FakeSocket.last.says({ type: "messages", id, chat: CHAT, log: [1, 2, 3].map(says), more: false });
  await wait();
  expect(log.textContent).toContain("line 1.");
  expect(log.attributes.get("aria-live")).toBe("off");
  expect(box.scrollTop).toBe(before + 20 * (log.childNodes.length - high));
  expect(focused).toHaveBeenCalled(); // the button has gone
  await wait(1000);
  expect(log.attributes.get("aria-live")).toBe("polite");
});
