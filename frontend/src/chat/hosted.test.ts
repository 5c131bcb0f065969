import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refused } from "./bridge.ts";
import { OwnPage } from "./hosted.ts";

const OWN = "https://chat.test";
let asked: { url: string; init: RequestInit }[];
let answer: () => Promise<Response>;
let view: { document: { title: string; cookie: string; location: { protocol: string } }; location: { origin: string; href: string } };
let page: OwnPage;

beforeEach(() => {
  asked = [];
  answer = async () => Response.json({ ticket: "t1" });
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return Promise.race([answer(), new Promise((_, no) => init.signal?.addEventListener("abort", () => no(new Error("aborted"))))]);
  });
  view = { document: { title: "Chat with Acme", cookie: "", location: { protocol: "https:" } }, location: { origin: OWN, href: `${OWN}/chat/acme/` } };
  page = new OwnPage(view as unknown as Window, "acme");
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("it asks for its ticket itself, without a cookie, and is its own embedder", async () => {
  const admission = await page.admission();
  expect(admission).toMatchObject({ ticket: "t1", origin: OWN, url: `${OWN}/chat/acme/` });
  expect(admission.browser).toMatch(/^[0-9a-f]{32}$/);
  expect((await page.admission()).browser).toBe(admission.browser);
  expect(asked[0]).toMatchObject({ url: "/widget/v1/ticket", init: { method: "POST", credentials: "omit", body: '{"site":"acme"}' } });
});

test.each([403, 404])("where the site has no such page (%d) asking again is no use", async (status) => {
  answer = async () => new Response("{}", { status });
  await expect(page.admission()).rejects.toBeInstanceOf(Refused);
});

test.each([429, 500, 503])("a server in trouble (%d) is asked again later", async (status) => {
  answer = async () => new Response("{}", { status });
  await expect(page.admission()).rejects.toThrow("no ticket");
  await expect(page.admission()).rejects.not.toBeInstanceOf(Refused);
});

test("a line that says nothing is given up", async () => {
  vi.useFakeTimers();
  answer = () => new Promise(() => undefined);
  const admission = expect(page.admission()).rejects.toThrow("aborted");
  await vi.advanceTimersByTimeAsync(20_000);
  await admission;
});

test("a keyboard that lies over the page leaves the chat what it does not cover", () => {
  const seen = Object.assign(new EventTarget(), { scale: 1, height: 800, offsetTop: 0 });
  const style = { height: "" };
  const scrolled: number[] = [];
  const phone = { document: { title: "", documentElement: { style } }, innerHeight: 800, visualViewport: seen, scrollTo: (_: number, y: number) => scrolled.push(y) };
  new OwnPage(phone as unknown as Window, "acme");
  Object.assign(seen, { height: 460, offsetTop: 120 }).dispatchEvent(new Event("resize"));
  expect([style.height, scrolled]).toEqual(["460px", [0]]);
  Object.assign(seen, { height: 800, offsetTop: 0 }).dispatchEvent(new Event("resize"));
  expect(style.height).toBe("");
  Object.assign(seen, { scale: 2, height: 400 }).dispatchEvent(new Event("scroll")); // magnified, not covered
  expect(style.height).toBe("");
});

test("the title counts what is unread, and nothing else changes it", () => {
  page.tell({ chatlead: 1, type: "unread", count: 2 });
  expect(view.document.title).toBe("(2) Chat with Acme");
  page.tell({ chatlead: 1, type: "chat", open: true });
  page.tell({ chatlead: 1, type: "close" });
  expect(view.document.title).toBe("(2) Chat with Acme");
  page.tell({ chatlead: 1, type: "unread", count: 0 });
  expect(view.document.title).toBe("Chat with Acme");
});
