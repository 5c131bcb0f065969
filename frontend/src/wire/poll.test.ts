import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HOLD_MS, PollSocket } from "./poll.ts";

interface Request {
  hello: object;
  want: string;
  pass: string;
  at?: object;
  commands?: { type: string }[];
  wait?: number;
  cut: boolean;
  answer: (answer: object, status?: number) => Promise<void>;
  fail: () => Promise<void>;
}

let requests: Request[];
let frames: { type: string }[];
let closed: number[];
let at: object;

beforeEach(() => {
  vi.useFakeTimers();
  requests = [];
  frames = [];
  closed = [];
  at = { chat: "c", seq: 3 };
  vi.stubGlobal("fetch", (_url: string, init: { body: string; signal: AbortSignal }) => new Promise((resolve, reject) => {
    const settle = () => vi.advanceTimersByTimeAsync(0).then(() => {});
    const request: Request = {
      ...(JSON.parse(init.body) as Request),
      cut: false,
      answer: (answer, status = 200) => (resolve({ status, json: async () => answer }), settle()),
      fail: () => (reject(new TypeError("network")), settle()),
    };
    init.signal.addEventListener("abort", () => {
      request.cut = true;
      reject(new DOMException("cut", "AbortError"));
    });
    requests.push(request);
  }));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const last = () => requests.at(-1)!;

async function welcomed(): Promise<PollSocket> {
  const socket = new PollSocket("https://chat.test/poll/v1/visitor", () => at);
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", site: "s" }));
  socket.onmessage = (e) => frames.push(JSON.parse(String(e.data)));
  socket.onclose = (e) => closed.push(e.code);
  await vi.advanceTimersByTimeAsync(0);
  await last().answer({ frames: [{ type: "welcome" }], pass: "one" });
  return socket;
}

test("the first request brings the welcome, the next one waits for news with what we have", async () => {
  await welcomed();
  expect(requests.map((r) => r.want)).toEqual(["welcome", "news"]);
  expect(requests[0]!.hello).toEqual({ type: "hello", site: "s" });
  expect(last()).toMatchObject({ at: { chat: "c", seq: 3 }, pass: "one", wait: HOLD_MS });
  expect(frames.map((f) => f.type)).toEqual(["welcome"]);
});

test("after each answer the next request goes out, with the newest pass and what we have by then", async () => {
  await welcomed();
  at = { chat: "c", seq: 4 };
  await last().answer({ frames: [{ type: "message_posted" }], pass: "two" });
  expect(requests).toHaveLength(3);
  expect(last()).toMatchObject({ at: { seq: 4 }, pass: "two" });
});

test("what is said in one moment travels together, and the request that listens is left alone", async () => {
  const socket = await welcomed();
  socket.send('{"type":"set_typing"}');
  socket.send('{"type":"send_message"}');
  await vi.advanceTimersByTimeAsync(0);
  expect(requests).toHaveLength(3);
  expect(last()).toMatchObject({ want: "answers", commands: [{ type: "set_typing" }, { type: "send_message" }] });
  expect(requests[1]!.cut).toBe(false);
});

test("what is said meanwhile waits for its turn, so that the order is kept", async () => {
  const socket = await welcomed();
  socket.send('{"type":"first"}');
  await vi.advanceTimersByTimeAsync(0);
  socket.send('{"type":"second"}');
  socket.send('{"type":"third"}');
  await vi.advanceTimersByTimeAsync(0);
  expect(requests).toHaveLength(3);
  await last().answer({ frames: [{ type: "ack" }] });
  expect(last().commands!.map((c) => c.type)).toEqual(["second", "third"]);
  expect(frames.map((f) => f.type)).toEqual(["welcome", "ack"]);
});

test("an answer that is lost is an end: nobody knows what became of it", async () => {
  const socket = await welcomed();
  socket.send('{"type":"send_message"}');
  await vi.advanceTimersByTimeAsync(0);
  await last().fail();
  expect(closed).toEqual([1006]);
  expect(socket.readyState).toBe(3);
  expect(requests[1]!.cut).toBe(true);
});

test("a page of something in between is no answer", async () => {
  await welcomed();
  await last().answer("<html>" as unknown as object, 502);
  expect(closed).toEqual([1006]);
});

test("the server's word that this is the end comes as a close with its code, after the frames", async () => {
  await welcomed();
  await last().answer({ frames: [{ type: "failed" }], close: 4401 }, 401);
  expect(frames.map((f) => f.type)).toEqual(["welcome", "failed"]);
  expect(closed).toEqual([4401]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(requests).toHaveLength(2);
});

test("when a crowded server wants us back is passed on", async () => {
  const socket = await welcomed();
  let reason: string | undefined;
  socket.onclose = (e) => (reason = e.reason);
  await last().answer({ frames: [], close: 1013, reason: "busy 12000" }, 503);
  expect(reason).toBe("busy 12000");
});

test("who closes is told nothing more, and no request stays behind", async () => {
  const socket = await welcomed();
  socket.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(closed).toEqual([]);
  expect(requests).toHaveLength(2);
  expect(last().cut).toBe(true);
});

test("something in between that cuts long requests is asked for shorter ones", async () => {
  await welcomed();
  await vi.advanceTimersByTimeAsync(10_000);
  await last().fail();
  expect(closed).toEqual([]);
  expect(last()).toMatchObject({ want: "news", wait: 5_000 });
});

test("a network that is gone is no reason to ask for shorter ones again and again", async () => {
  await welcomed();
  await vi.advanceTimersByTimeAsync(10_000);
  await last().fail();
  await last().fail();
  expect(closed).toEqual([1006]);
});

test("a request to which nothing ever comes is given up some seconds after its time", async () => {
  await welcomed();
  await vi.advanceTimersByTimeAsync(HOLD_MS + 13_000);
  expect(closed).toEqual([1006]);
});

test("answers that come at once, one after the other, are not answered in a circle", async () => {
  await welcomed();
  for (let i = 0; i < 30; i++) await last().answer({ frames: [{ type: "synced" }] }).catch(() => {});
  expect(requests.length).toBeLessThan(15);
});
