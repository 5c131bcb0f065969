import { expect, test } from "vitest";
import { lacking } from "./needs.ts";

const whole = { isSecureContext: true, Notification: class {} };
const names = (...given: Parameters<typeof lacking>) => lacking(...given).map((n) => n.name);

test("a browser that has everything is told nothing", () => {
  expect(lacking(whole, { polls: false, kept: true })).toEqual([]);
});

test("each thing that is missing is named, with what to do about it (R-006)", () => {
  const all = lacking({ isSecureContext: false }, { polls: true, kept: false });
  expect(all.map((n) => n.name)).toEqual(["WebSocket", "Secure connection", "Storage", "Notifications"]);
  for (const { text } of all) expect(text).toMatch(/use|Open|Allow|add/);
});

test("one thing is not taken for another", () => {
  expect(names(whole, { polls: true, kept: true })).toEqual(["WebSocket"]);
  expect(names(whole, { polls: false, kept: false })).toEqual(["Storage"]);
  expect(names({ ...whole, isSecureContext: false }, { polls: false, kept: true })).toEqual(["Secure connection"]);
  expect(names({ isSecureContext: true }, { polls: false, kept: true })).toEqual(["Notifications"]);
});
