import { expect, test } from "vitest";
import { active, OLGA, T, VERA, welcome } from "./cast.test-kit.ts";
import { apply, find, nothing } from "./state.ts";
import { thread } from "./thread.ts";

test("what became of a text message is said between the bubbles, as nobody's words (B1-18)", () => {
  const told = { type: "message_posted", chat: VERA, seq: 4, at: T + 4000, author: "system", ref: "r", text: "Not delivered by text message" } as const;
  const state = apply(apply(nothing, welcome([active(VERA, ["Hello"])]), T), told, T);
  const items = thread(find(state, VERA)!, OLGA, [], [], true);
  expect(items.at(-1)).toEqual({ kind: "line", key: "r", text: "Not delivered by text message", at: T + 4000 });
  expect(items.at(-2)).toMatchObject({ kind: "bubble", from: "visitor", text: "Hello" });
});
