import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, type Frame, LONGEST_OF_CONSOLE_MS, Lost, QUIET_IN_CHAT_MS } from "./connection.ts";
import { FakeSocket } from "./socket.test-kit.ts";

let states: string[];
let frames: Frame[];
let page: EventTarget;
let screen: EventTarget & { visibilityState: string };
let hello: () => Promise<object>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.spyOn(Math, "random").mockReturnValue(1);
  FakeSocket.made = [];
  states = [];
  frames = [];
  page = new EventTarget();
  screen = Object.assign(new EventTarget(), { visibilityState: "visible" });
  hello = async () => ({ type: "hello", protocol: 1 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function connect(quietMs?: number, longestMs?: number): Connection {
  const link = new Connection({
    url: "wss://chat.test/ws",
    hello: () => hello(),
    isWelcome: (f) => f.type === "welcome",
    onFrame: (f) => frames.push(f),
    onState: (s, code) => states.push(code ? `${s} ${code}` : s),
    page,
    document: screen,
    ...(quietMs ? { quietMs: () => quietMs } : {}),
    ...(longestMs ? { longestMs } : {}),
  });
  link.start();
  return link;
}

async function welcomed(quietMs?: number, longestMs?: number): Promise<Connection> {
  const link = connect(quietMs, longestMs);
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.opens();
  FakeSocket.last.says({ type: "welcome" });
  return link;
}

test("vera says hello first and is online only when she was welcomed", async () => {
  const link = connect();
  await vi.advanceTimersByTimeAsync(0);
  expect(link.send({ type: "ping" })).toBe(false);
  FakeSocket.last.opens();
  expect(FakeSocket.last.types()).toEqual(["hello"]);
  expect(states).toEqual(["connecting"]);
  FakeSocket.last.says({ type: "welcome" });
  expect(states).toEqual(["connecting", "online"]);
  expect(frames.map((f) => f.type)).toEqual(["welcome"]);
});

test("coming back is the same act as coming: a new socket, a new hello, a new welcome", async () => {
  await welcomed();
  FakeSocket.last.closes(1006);
  expect(states.at(-1)).toBe("offline 1006");
  await vi.advanceTimersByTimeAsync(500);
  FakeSocket.last.opens();
  FakeSocket.last.says({ type: "welcome" });
  expect(FakeSocket.made).toHaveLength(2);
  expect(FakeSocket.last.types()).toEqual(["hello"]);
  expect(states.at(-1)).toBe("online");
});

test("while the server stays away the waits grow, and a welcome makes them short again", async () => {
  await welcomed();
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    FakeSocket.last.closes(1006);
    const from = Date.now();
    const before = FakeSocket.made.length;
    while (FakeSocket.made.length === before) await vi.advanceTimersByTimeAsync(100);
    waits.push(Date.now() - from);
  }
  expect(waits).toEqual([500, 1000, 2000, 4000]);
  FakeSocket.last.opens();
  FakeSocket.last.says({ type: "welcome" });
  FakeSocket.last.closes(1006);
  await vi.advanceTimersByTimeAsync(500);
  expect(FakeSocket.made).toHaveLength(6);
});

test("a console stays away for five seconds at most, however long the server was gone", async () => {
  await welcomed(undefined, LONGEST_OF_CONSOLE_MS);
  for (let i = 0; i < 12; i++) {
    const gone = FakeSocket.last;
    gone.closes(1006);
    await vi.advanceTimersByTimeAsync(LONGEST_OF_CONSOLE_MS);
    expect(FakeSocket.last).not.toBe(gone);
  }
});

test("who writes or asks while a client waits to come back brings it back at once; who only types does not", async () => {
  const link = await welcomed();
  FakeSocket.last.closes(1006);
  expect(link.send({ type: "set_typing" })).toBe(false);
  await vi.advanceTimersByTimeAsync(50);
  expect(FakeSocket.made).toHaveLength(1);
  await expect(link.ask({ type: "accept_chat" })).rejects.toBeInstanceOf(Lost);
  await vi.advanceTimersByTimeAsync(0);
  expect(FakeSocket.made).toHaveLength(2);
});

test("a server that has said when to come back is not asked before, however much is written", async () => {
  for (const [code, reason, ms] of [[4029, "flood", 5_000], [1013, "busy 12000", 12_000]] as const) {
    const link = await welcomed();
    const socket = FakeSocket.last;
    socket.closes(code, reason);
    await vi.advanceTimersByTimeAsync(ms - 100);
    link.send({ type: "send_message" }, true);
    await vi.advanceTimersByTimeAsync(50);
    expect(FakeSocket.last).toBe(socket);
    link.stop();
  }
});

test("a refusal that will not change is not knocked at again", async () => {
  await welcomed();
  FakeSocket.last.closes(4403);
  expect(states.at(-1)).toBe("stopped 4403");
  await vi.advanceTimersByTimeAsync(120_000);
  page.dispatchEvent(new Event("online"));
  expect(FakeSocket.made).toHaveLength(1);
});

test.each([1012, 4008, 4009, 4029, 4500])("after the close code %i the client comes back", async (code) => {
  await welcomed();
  FakeSocket.last.closes(code);
  await vi.advanceTimersByTimeAsync(6000);
  expect(FakeSocket.made).toHaveLength(2);
});

test("when the server leaves, its clients spread over three seconds (docs/protocol.md)", async () => {
  await welcomed();
  FakeSocket.last.closes(1012);
  await vi.advanceTimersByTimeAsync(2900);
  expect(FakeSocket.made).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(200);
  expect(FakeSocket.made).toHaveLength(2);
});

test("who was cut off for flooding stays away for some seconds", async () => {
  await welcomed();
  FakeSocket.last.closes(4029);
  await vi.advanceTimersByTimeAsync(4900);
  expect(FakeSocket.made).toHaveLength(1);
});

test("a server that is crowded is come back to when it says, and never later than a minute (V-9)", async () => {
  for (const [reason, ms] of [["busy 12000", 12_000], ["busy 999999999", 60_000], ["busy", 0], ["busy soon", 0]] as const) {
    const link = await welcomed();
    const socket = FakeSocket.last;
    socket.closes(1013, reason);
    await vi.advanceTimersByTimeAsync(Math.max(0, ms - 100));
    if (ms) expect(FakeSocket.last).toBe(socket);
    await vi.advanceTimersByTimeAsync(700);
    expect(FakeSocket.last).not.toBe(socket);
    link.stop();
  }
});

test("with a chat on the screen a network that died silently is noticed within 5 s (R-007)", async () => {
  for (let phase = 0; phase < 500; phase += 50) {
    const link = await welcomed(QUIET_IN_CHAT_MS);
    await vi.advanceTimersByTimeAsync(phase);
    FakeSocket.last.says({ type: "position" });
    const from = Date.now();
    while (states.at(-1) !== "offline") await vi.advanceTimersByTimeAsync(10);
    expect(Date.now() - from).toBeLessThan(5000);
    link.stop();
  }
});

test("the browser's own word that the network is gone is believed at once", async () => {
  await welcomed();
  page.dispatchEvent(new Event("offline"));
  expect(states.at(-1)).toBe("offline");
});

test("an answer that does not come is asked after, and a pong keeps the connection", async () => {
  const link = await welcomed();
  link.send({ type: "send_message" }, true);
  await vi.advanceTimersByTimeAsync(2500);
  expect(FakeSocket.last.types()).toEqual(["hello", "send_message", "ping"]);
  FakeSocket.last.says({ type: "pong" });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(states.at(-1)).toBe("online");
  expect(frames.some((f) => f.type === "pong")).toBe(false);
});

test("a quiet connection is asked after 25 s and left alone before", async () => {
  await welcomed();
  await vi.advanceTimersByTimeAsync(24_000);
  expect(FakeSocket.last.types()).toEqual(["hello"]);
  await vi.advanceTimersByTimeAsync(1500);
  expect(FakeSocket.last.types()).toEqual(["hello", "ping"]);
});

test("a laptop that wakes up asks at once whether its socket still lives", async () => {
  await welcomed();
  screen.dispatchEvent(new Event("visibilitychange"));
  expect(FakeSocket.last.types()).toEqual(["hello", "ping"]);
  await vi.advanceTimersByTimeAsync(2400);
  expect(states).toContain("offline");
});

test.each(["online", "pageshow"])("%s brings a waiting client back without waiting", async (name) => {
  await welcomed();
  for (let i = 0; i < 6; i++) {
    FakeSocket.last.closes(1006);
    await vi.advanceTimersByTimeAsync(20_000);
  }
  FakeSocket.last.closes(1006);
  const before = FakeSocket.made.length;
  page.dispatchEvent(new Event(name));
  await vi.advanceTimersByTimeAsync(0);
  expect(FakeSocket.made).toHaveLength(before + 1);
});

test("a hidden page that is not looked at again stays as it is", async () => {
  await welcomed();
  screen.visibilityState = "hidden";
  screen.dispatchEvent(new Event("visibilitychange"));
  expect(FakeSocket.last.types()).toEqual(["hello"]);
});

test("a question finds its answer by number, and is told when the connection is lost", async () => {
  const link = await welcomed();
  const first = link.ask({ type: "end_chat" });
  const second = link.ask({ type: "load_messages" });
  const [, a, b] = FakeSocket.last.sent;
  FakeSocket.last.says({ type: "messages", id: b!["id"] });
  FakeSocket.last.says({ type: "done", id: a!["id"] });
  expect((await first).type).toBe("done");
  expect((await second).type).toBe("messages");

  const third = link.ask({ type: "end_chat" });
  const told = expect(third).rejects.toBeInstanceOf(Lost);
  FakeSocket.last.closes(1006);
  await told;
  await expect(link.ask({ type: "end_chat" })).rejects.toBeInstanceOf(Lost);
});

test("a ticket that cannot be had is a failed attempt and is tried again", async () => {
  let tries = 0;
  hello = async () => {
    if (++tries === 1) throw new Error("no ticket");
    return { type: "hello" };
  };
  connect();
  await vi.advanceTimersByTimeAsync(0);
  expect(states.at(-1)).toBe("offline");
  expect(FakeSocket.made).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(500);
  expect(FakeSocket.made).toHaveLength(1);
});

test("a server that takes the socket and says nothing is given up after ten seconds", async () => {
  connect();
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.opens();
  await vi.advanceTimersByTimeAsync(10_400);
  expect(states).toContain("offline");
});

test("what an abandoned socket still says is not heard", async () => {
  await welcomed();
  const old = FakeSocket.last;
  page.dispatchEvent(new Event("offline"));
  frames.length = 0;
  old.says({ type: "message_posted" });
  old.closes(4403);
  expect(frames).toEqual([]);
  expect(states.at(-1)).toBe("offline");
});

test("a page whose policy forbids sockets is a failed attempt, not an exception", async () => {
  vi.stubGlobal("WebSocket", class {
    constructor() {
      throw new DOMException("blocked", "SecurityError");
    }
  });
  connect();
  await vi.advanceTimersByTimeAsync(0);
  expect(states.at(-1)).toBe("offline");
});

test("a frame that is no JSON is passed over", async () => {
  await welcomed();
  FakeSocket.last.onmessage?.({ data: "<html>" });
  expect(states.at(-1)).toBe("online");
});

test("a line on which every answer takes two seconds is slow, not dead", async () => {
  await connectOver(2_000);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(states).toEqual(["connecting", "online"]);
  expect(FakeSocket.last.types().filter((t) => t === "ping").length).toBeGreaterThan(5);
});

test("on a slow line a network that died is noticed as well, later", async () => {
  await connectOver(2_000);
  await vi.advanceTimersByTimeAsync(10_000);
  FakeSocket.last.send = () => {};
  const from = performance.now();
  while (!states.includes("offline") && performance.now() - from < 60_000) await vi.advanceTimersByTimeAsync(100);
  expect(performance.now() - from).toBeLessThan(14_000);
});

test("a socket that takes 15 s to open is waited for, one that never opens is not", async () => {
  connect();
  await vi.advanceTimersByTimeAsync(15_000);
  FakeSocket.last.opens();
  FakeSocket.last.says({ type: "welcome" });
  expect(states).toEqual(["connecting", "online"]);
  FakeSocket.last.closes(1006);
  await vi.advanceTimersByTimeAsync(500 + 20_400);
  expect(states.at(-1)).toBe("offline");
});

test("an attempt that was begun on the old network is begun again on the new one", async () => {
  connect();
  await vi.advanceTimersByTimeAsync(1_000);
  page.dispatchEvent(new Event("online"));
  expect(FakeSocket.made).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(2_000);
  page.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
  expect(FakeSocket.made).toHaveLength(2);
});

test("a clock that is set back by a day changes nothing", async () => {
  await welcomed(QUIET_IN_CHAT_MS);
  vi.setSystemTime(Date.now() - 86_400_000);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(states).toContain("offline");
});

test("who wants the newest facts is welcomed again", async () => {
  const link = await welcomed();
  link.renew();
  await vi.advanceTimersByTimeAsync(0);
  FakeSocket.last.opens();
  FakeSocket.last.says({ type: "welcome" });
  expect(FakeSocket.made).toHaveLength(2);
  expect(states.at(-1)).toBe("online");
});

test("half a character, which would make the whole frame unreadable, is sent as the sign for one", async () => {
  const link = await welcomed();
  link.send({ type: "send_message", text: "a\ud83d b \u{1f600}" });
  expect(FakeSocket.last.sent.at(-1)?.["text"]).toBe("a\ufffd b \u{1f600}");
});

test("a question that a living server does not answer is given up", async () => {
  const link = await welcomed();
  const told = expect(link.ask({ type: "end_chat" })).rejects.toBeInstanceOf(Lost);
  for (let i = 0; i < 21; i++) {
    await vi.advanceTimersByTimeAsync(1_000);
    FakeSocket.last.says({ type: "position" });
  }
  await told;
  expect(states.at(-1)).toBe("online");
});

test("the server's word says how wrong the clock is", async () => {
  const link = await welcomed();
  FakeSocket.last.says({ type: "pong", at: Date.now() - 86_400_000 });
  expect(link.skew).toBe(-86_400_000);
});

/** With a chat on the screen; every answer comes `delay` after its question. */
async function connectOver(delay: number): Promise<Connection> {
  const link = connect(QUIET_IN_CHAT_MS);
  await vi.advanceTimersByTimeAsync(0);
  const socket = FakeSocket.last;
  const send = socket.send.bind(socket);
  socket.send = (text) => {
    send(text);
    const answer = socket.types().at(-1) === "hello" ? "welcome" : "pong";
    setTimeout(() => socket.says({ type: answer }), delay);
  };
  socket.opens();
  await vi.advanceTimersByTimeAsync(delay);
  return link;
}
