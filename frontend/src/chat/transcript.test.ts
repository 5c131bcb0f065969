import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SiteView, VisitorChatView } from "../wire/protocol.ts";
import { NOTHING } from "./state.ts";
import { said, wish } from "./transcript.ts";
import { Value } from "./value.ts";

beforeEach(() => vi.stubGlobal("document", { documentElement: { lang: "de" } }));
afterEach(() => vi.unstubAllGlobals());

const site = { notice: { sha256: "abc" } } as SiteView;
const client = { state: new Value({ ...NOTHING, site, chat: { uid: "c1" } as VisitorChatView }), given: {}, command: async () => ({ ok: true as const }) };

test("what is wished names the chat, the notice that was shown, her language and her clock (R-036)", () => {
  expect(wish(client, "vera@post.test", "r1")).toEqual({
    type: "mail_transcript", chat: "c1", ref: "r1", email: "vera@post.test", notice: "abc", language: "de",
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
});

test.each([
  [{ ok: true as const }, ""],
  [{ ok: false as const, code: "bad_field", field: "email" }, "This does not look like an email address."],
  [{ ok: false as const, code: "missing_field", field: "email" }, "This does not look like an email address."],
  [{ ok: false as const, code: "rate_limited", field: "" }, "It was sent often enough for now. Please try again later."],
  [{ ok: false as const, code: "offline", field: "" }, "No connection. Please try again when it is back."],
  [{ ok: false as const, code: "not_found", field: "" }, "That did not work. Please try again."],
])("a refusal is said by its code: %j", (answer, words) => {
  expect(said(answer)).toBe(words);
});
