/** olga at her console, with a line that the test speaks for. Import it once a file: it sets up each test of it. */
import { afterEach, beforeEach, vi } from "vitest";
import { FakeSocket } from "../wire/socket.test-kit.ts";
import { Box } from "../wire/storage.ts";
import { browserStorage } from "../wire/storage.test-kit.ts";
import { T, welcome } from "./cast.test-kit.ts";
import { Session } from "./session.ts";

/** What is around the console: her tab's storage, whether she looks, and what she was told. */
export const around = { storage: browserStorage(), looking: false, told: [] as string[] };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.spyOn(Math, "random").mockReturnValue(1);
  FakeSocket.made = [];
  Object.assign(around, { storage: browserStorage(), looking: false, told: [] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

export const far = () => FakeSocket.last;
export const sent = (type: string) => far().sent.filter((f) => f["type"] === type);
export const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms);
export const refOf = (n = 0) => String(sent("send_message")[n]?.["ref"]);

export async function greeted(frame: object): Promise<void> {
  await wait(0);
  far().opens();
  far().says(frame);
  await wait(0);
}

export async function olga(...chats: Parameters<typeof welcome>): Promise<Session> {
  const session = new Session({
    url: "wss://chat.test/ws/v1/operator",
    box: new Box(() => around.storage, "console"),
    noteBox: new Box(() => around.storage, "console-notes"),
    looking: () => around.looking,
    tell: (t) => around.told.push(t),
  });
  session.start();
  await greeted(welcome(...chats));
  return session;
}

/** Time passes while the line answers, so that nobody takes it for dead. */
export async function live(ms: number): Promise<void> {
  for (let t = 0; t < ms; t += 500) {
    far().says({ type: "pong", at: T });
    await wait(500);
  }
}
