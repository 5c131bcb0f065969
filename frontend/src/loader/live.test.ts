import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeSocket } from "../wire/socket.test-kit.ts";
import { HIDDEN_MS, Live, type News } from "./live.ts";

const URL = "wss://chat.test/ws/v1/visitor";
const MINUTE = 60_000;
let page: EventTarget;
let tab: EventTarget & { hidden: boolean };
let heard: News[];
let lost: number;
let refused: number;

const welcome = (...online: string[]) => ({ type: "page_welcome", protocol: 1, online, color: "#123456" });
const far = () => FakeSocket.last;
const made = () => FakeSocket.made.length;
const waits = (ms: number) => vi.advanceTimersByTimeAsync(ms);

function hides(hidden: boolean) {
  tab.hidden = hidden;
  tab.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
  page = new EventTarget();
  tab = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("document", tab);
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  FakeSocket.made = [];
  heard = [];
  lost = refused = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function listens(): void {
  new Live({
    url: URL,
    hello: () => ({ type: "hello", role: "page" }),
    heard: (news) => heard.push(news),
    lost: () => lost++,
    refused: () => refused++,
  });
}

/** A page that is in. */
function isIn(): void {
  listens();
  far().opens();
  far().says(welcome("d1"));
}

test("the page hears who is online, then each change, and says nothing but hello (R-034)", () => {
  isIn();
  far().says({ type: "availability_changed", online: [] });
  far().says({ type: "pong", at: 1 });
  far().onmessage?.({ data: "nonsense" });
  expect(heard.map((news) => news.online)).toEqual([["d1"], []]);
  expect(far().types()).toEqual(["hello"]);
});

test("a lost socket comes back slower each time, and a welcome starts the count anew", async () => {
  isIn();
  for (const wait of [6_000, 10_000, 18_000]) {
    far().closes(1006);
    await waits(wait - 1);
    const before = made();
    await waits(1);
    expect(made()).toBe(before + 1);
  }
  far().opens();
  far().says(welcome());
  far().closes(1006);
  await waits(6_000);
  expect(made()).toBe(5);
  expect(lost).toBe(0);
});

test("a server that stays away is not asked for ever: some minutes, then until there is a reason", async () => {
  isIn();
  for (let n = 0; n < 20; n++) {
    if (far().readyState !== 3) far().closes(1006);
    await waits(3 * MINUTE);
  }
  expect(made()).toBe(7);
  expect(lost).toBe(1);
  page.dispatchEvent(new Event("online"));
  expect(made()).toBe(8);
});

test("a server that restarts is come back to within three seconds, one that is crowded when it says", async () => {
  isIn();
  far().closes(1012);
  await waits(3_000);
  expect(made()).toBe(2);
  far().opens();
  far().says(welcome());
  far().closes(1013, "busy 40000");
  await waits(39_999);
  expect(made()).toBe(2);
  await waits(10_000);
  expect(made()).toBe(3);
});

test("where sockets are blocked the page tries twice and stays without, whatever happens", async () => {
  listens();
  far().closes(1006);
  await waits(MINUTE);
  far().closes(1006);
  await waits(60 * MINUTE);
  hides(true);
  hides(false);
  page.dispatchEvent(new Event("online"));
  expect(made()).toBe(2);
  expect(refused).toBe(0);
});

test("where the page's policy forbids sockets one attempt is all, and nothing is thrown", async () => {
  listens();
  tab.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI: "wss://chat.test" }));
  far().closes(1006);
  await waits(60 * MINUTE);
  expect(made()).toBe(1);
  vi.stubGlobal("WebSocket", class {
    constructor() {
      throw new DOMException("forbidden", "SecurityError");
    }
  });
  expect(listens).not.toThrow();
});

test("another address that the policy forbids is none of ours", async () => {
  listens();
  tab.dispatchEvent(Object.assign(new Event("securitypolicyviolation"), { blockedURI: "wss://other.test" }));
  far().closes(1006);
  await waits(MINUTE);
  expect(made()).toBe(2);
});

test.each([4400, 4403, 4404, 4406])("after %i nothing is asked any more, and the launcher is told (ASVS 4.4)", async (code) => {
  isIn();
  far().closes(code);
  await waits(60 * MINUTE);
  hides(true);
  hides(false);
  page.dispatchEvent(new Event("pageshow"));
  expect([made(), refused]).toEqual([1, 1]);
});

test("a page that is left closes its socket, and one that comes back from the cache has a new one", () => {
  isIn();
  const first = far();
  page.dispatchEvent(new Event("pagehide"));
  expect(first.readyState).toBe(3);
  page.dispatchEvent(new Event("pageshow"));
  expect(made()).toBe(2);
});

test("a tab out of sight keeps its socket for five minutes, comes back once, and never asks meanwhile", async () => {
  isIn();
  hides(true);
  await waits(HIDDEN_MS - 1);
  expect(far().readyState).toBe(1);
  await waits(1);
  expect(far().readyState).toBe(3);
  await waits(600 * MINUTE);
  expect(made()).toBe(1);
  hides(false);
  expect(made()).toBe(2);
});

test("a tab out of sight whose socket is lost waits to be looked at", async () => {
  isIn();
  hides(true);
  far().closes(1006);
  await waits(600 * MINUTE);
  expect(made()).toBe(1);
  hides(false);
  expect(made()).toBe(2);
});

test("after a while out of sight a socket is asked whether it lives, and replaced where it does not", async () => {
  isIn();
  hides(true);
  await waits(MINUTE);
  hides(false);
  expect(far().types()).toEqual(["hello", "ping"]);
  far().says({ type: "pong", at: 1 });
  await waits(MINUTE);
  expect(made()).toBe(1);
  hides(true);
  await waits(MINUTE);
  hides(false);
  await waits(10_000);
  expect(made()).toBe(2);
});

test("a page that begins out of sight has no socket until it is looked at", () => {
  tab.hidden = true;
  listens();
  expect(made()).toBe(0);
  hides(false);
  expect(made()).toBe(1);
});

test("without a network nothing is claimed and nothing is tried", async () => {
  isIn();
  page.dispatchEvent(new Event("offline"));
  await waits(60 * MINUTE);
  expect([made(), lost]).toEqual([1, 1]);
  page.dispatchEvent(new Event("online"));
  expect(made()).toBe(2);
});

test("a socket that is dropped while it connects is closed when it is open, without a word", () => {
  listens();
  const first = far();
  page.dispatchEvent(new Event("pagehide"));
  expect(first.readyState).toBe(0);
  first.opens();
  expect([first.readyState, first.sent]).toEqual([3, []]);
});
