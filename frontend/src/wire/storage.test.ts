import { expect, test } from "vitest";
import { Box, clearBox } from "./storage.ts";
import { browserStorage } from "./storage.test-kit.ts";

test("what vera wrote is there after a reload", () => {
  const tab = browserStorage();
  new Box(() => tab, "cl").set("draft", "I was in a crash");
  expect(new Box(() => tab, "cl").get("draft")).toBe("I was in a crash");
});

test("two sites in one tab do not see each other's text", () => {
  const tab = browserStorage();
  new Box(() => tab, "acme").set("draft", "secret");
  expect(new Box(() => tab, "rival").get("draft")).toBeNull();
});

test("where storage is refused the chat goes on in memory and knows that it will not be kept (R-125)", () => {
  const box = new Box(() => {
    throw new DOMException("refused", "SecurityError");
  }, "cl");
  expect(box.kept).toBe(false);
  box.set("draft", "still here");
  expect(box.get("draft")).toBe("still here");
  box.set("draft", null);
  expect(box.get("draft")).toBeNull();
});

test("a store that accepts and forgets is not taken for one that keeps", () => {
  const forgetful = { ...browserStorage(), getItem: () => null } as Storage;
  expect(new Box(() => forgetful, "cl").kept).toBe(false);
});

test("the probe leaves nothing behind", () => {
  const tab = browserStorage();
  new Box(() => tab, "cl");
  expect(tab.length).toBe(0);
});

test("a full store keeps the text for this page", () => {
  const tab = browserStorage();
  const box = new Box(() => tab, "cl");
  tab.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  tab.getItem = () => {
    throw new DOMException("gone", "SecurityError");
  };
  box.set("draft", "x");
  expect(box.get("draft")).toBe("x");
});

test("forgetting takes away this site's things and nobody else's", () => {
  const tab = browserStorage();
  const acme = new Box(() => tab, "acme");
  new Box(() => tab, "rival").set("draft", "theirs");
  acme.set("draft", "ours");
  acme.set("session", "token");
  clearBox(() => tab, "acme");
  expect(() => clearBox(() => { throw new Error("refused"); }, "acme")).not.toThrow();
  expect([acme.get("draft"), acme.get("session")]).toEqual([null, null]);
  expect(new Box(() => tab, "rival").get("draft")).toBe("theirs");
});
