import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Connection, type Frame } from "./connection.ts";
import type { Pipe } from "./poll.ts";
import { FakeSocket } from "./socket.test-kit.ts";

let states: string[];
let polls: FakeSocket[];
let kept: Map<string, string>;
let page: EventTarget;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.spyOn(Math, "random").mockReturnValue(1);
  FakeSocket.made = [];
  states = [];
  polls = [];
  kept = new Map();
  page = new EventTarget();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function connect(): Promise<Connection> {
  const link: Connection = new Connection<Frame>({
    url: "wss://chat.test/ws/v1/visitor",
    hello: async () => ({ type: "hello" }),
    isWelcome: (f) => f.type === "welcome",
    onFrame: () => {},
    onState: (s) => states.push(s),
    page,
    box: { get: (name) => kept.get(name) ?? null, set: (name, value) => void (value === null ? kept.delete(name) : kept.set(name, value)) },
    poll: async () => {
      const poll = new FakeSocket("poll");
      FakeSocket.made.pop();
      polls.push(poll);
      return poll as unknown as Pipe;
    },
  });
  link.start();
  await vi.advanceTimersByTimeAsync(0);
  return link;
}

/** The far end lets us in, and answers when it is asked whether it is there. */
function lets(socket: FakeSocket): void {
  const send = socket.send.bind(socket);
  socket.send = (text) => {
    send(text);
    if (socket.types().at(-1) === "ping") setTimeout(() => socket.says({ type: "pong" }));
  };
  socket.opens();
  socket.says({ type: "welcome" });
}

/** Two sockets that close before they are welcomed, as a proxy that knows no sockets makes them do. */
async function refusedTwice(): Promise<Connection> {
  const link = await connect();
  FakeSocket.last.closes(1006);
  await vi.advanceTimersByTimeAsync(500);
  FakeSocket.last.closes(1006);
  await vi.advanceTimersByTimeAsync(1_000);
  return link;
}

/** A socket that worked, and then none until polling is tried. */
async function wentAway(): Promise<Connection> {
  const link = await connect();
  lets(FakeSocket.last);
  while (!polls.length) {
    if (FakeSocket.last.readyState !== 3) FakeSocket.last.closes(1006);
    await vi.advanceTimersByTimeAsync(500);
  }
  return link;
}

test("after two sockets that came to nothing vera's browser polls (R-006)", async () => {
  const link = await refusedTwice();
  expect(polls).toHaveLength(1);
  lets(polls[0]!);
  expect(states.at(-1)).toBe("online");
  expect(link.polling).toBe(true);
  expect(kept.get("polls")).toBe("1");
});

test("a page that may open no socket at all polls at its second try", async () => {
  vi.stubGlobal("WebSocket", class {
    constructor() {
      throw new DOMException("blocked", "SecurityError");
    }
  });
  await connect();
  await vi.advanceTimersByTimeAsync(500);
  expect(polls).toHaveLength(1);
});

test("a browser without WebSocket polls", async () => {
  vi.stubGlobal("WebSocket", undefined);
  await connect();
  await vi.advanceTimersByTimeAsync(500);
  expect(polls).toHaveLength(1);
});

test("a proxy that opens sockets and swallows what they say is found out at the first", async () => {
  await connect();
  FakeSocket.last.opens();
  await vi.advanceTimersByTimeAsync(10_500 + 500);
  expect(polls).toHaveLength(1);
});

test("a tab that knows begins with polling", async () => {
  kept.set("polls", "1");
  await connect();
  expect(polls).toHaveLength(1);
  expect(FakeSocket.made).toHaveLength(0);
});

test("while the server is away both are tried in turn, and the first to work is kept", async () => {
  await refusedTwice();
  polls[0]!.closes(1006);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(FakeSocket.made).toHaveLength(3);
  lets(FakeSocket.last);
  expect(states.at(-1)).toBe("online");
  expect(kept.get("polls")).toBeUndefined();
});

test("where a socket has worked before, a restart is no reason to poll", async () => {
  await connect();
  lets(FakeSocket.last);
  for (let i = 0; i < 4; i++) {
    FakeSocket.last.closes(1006);
    await vi.advanceTimersByTimeAsync(10_000);
  }
  expect(FakeSocket.made).toHaveLength(5);
  expect(polls).toHaveLength(0);
});

test("a server that refuses with a code of its own was reached: no reason to poll", async () => {
  await connect();
  for (let i = 0; i < 4; i++) {
    FakeSocket.last.opens();
    FakeSocket.last.closes(4500);
    await vi.advanceTimersByTimeAsync(20_000);
  }
  expect(polls).toHaveLength(0);
});

test("a page that is offline blames no socket", async () => {
  await connect();
  lets(FakeSocket.last);
  for (let i = 0; i < 6; i++) page.dispatchEvent(new Event("offline"));
  expect(polls).toHaveLength(0);
});

test("some time later a socket is tried beside, and taken when the server answers on it", async () => {
  const link = await refusedTwice();
  lets(polls[0]!);
  const before = FakeSocket.made.length;
  await vi.advanceTimersByTimeAsync(15_000);
  expect(FakeSocket.made).toHaveLength(before + 1);
  expect(states.at(-1)).toBe("online"); // the chat goes on meanwhile
  FakeSocket.last.opens();
  expect(FakeSocket.last.types()).toEqual(["ping"]);
  FakeSocket.last.closes(4400);
  await vi.advanceTimersByTimeAsync(0);
  lets(FakeSocket.last);
  expect(link.polling).toBe(false);
  expect(polls[0]!.readyState).toBe(3);
  expect(kept.get("polls")).toBeUndefined();
});

test("a socket that still does not get through changes nothing, and is tried again minutes later", async () => {
  const link = await refusedTwice();
  lets(polls[0]!);
  await vi.advanceTimersByTimeAsync(15_000);
  FakeSocket.last.closes(1006);
  const before = FakeSocket.made.length;
  await vi.advanceTimersByTimeAsync(200_000);
  expect(FakeSocket.made).toHaveLength(before);
  expect([link.polling, polls[0]!.readyState]).toEqual([true, 1]);
});

test("another network is a reason to try a socket again", async () => {
  await refusedTwice();
  lets(polls[0]!);
  await vi.advanceTimersByTimeAsync(15_000);
  FakeSocket.last.closes(1006);
  const before = FakeSocket.made.length;
  page.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(15_000);
  expect(FakeSocket.made).toHaveLength(before + 1);
});

test("who was offline for long comes back by a socket, and nobody is told that the network forbids them", async () => {
  const link = await wentAway();
  expect([link.polling, link.isBlocked]).toEqual([true, false]);
  polls[0]!.closes(1006);
  const before = FakeSocket.made.length;
  page.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(0);
  expect([link.polling, FakeSocket.made.length]).toEqual([false, before + 1]);
});

test("where a socket has worked before, a poll that gets through looks for one at once", async () => {
  const link = await wentAway();
  lets(polls[0]!);
  expect([link.online, link.polling]).toEqual([true, true]);
  await vi.advanceTimersByTimeAsync(1_000);
  FakeSocket.last.closes(4400);
  await vi.advanceTimersByTimeAsync(0);
  lets(FakeSocket.last);
  expect([link.online, link.polling]).toEqual([true, false]);
});
