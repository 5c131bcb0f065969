import { expect, test } from "vitest";
import { append, beginsLate, EMPTY, isMessage, type Log, openLog, prepend } from "./log.ts";
import type { PublicRow } from "./protocol.ts";

const base = { chat: "c", at: 1, author: "visitor" } as const;
const said = (seq: number, text: string): PublicRow => ({ ...base, type: "message_posted", seq, text });
const texts = (log: Log) => log.rows.filter(isMessage).map((r) => `${r.seq}:${r.text}${r.state ? ` (${r.state})` : ""}`);

test("rows follow one another", () => {
  const log = [said(1, "a"), said(2, "b")].reduce(append, EMPTY);
  expect(texts(log)).toEqual(["1:a", "2:b"]);
  expect(log.seq).toBe(2);
});

test("a row that is known already changes nothing, not even the object", () => {
  const log = append(EMPTY, said(1, "a"));
  expect(append(log, said(1, "a"))).toBe(log);
});

test("an edited message keeps its place and has its new text", () => {
  const log = [said(1, "a"), said(2, "b"), { ...base, type: "message_edited", seq: 3, target: 1, text: "A" } as const].reduce(append, EMPTY);
  expect(texts(log)).toEqual(["1:A (edited)", "2:b"]);
  expect(log.seq).toBe(3);
});

test("a deleted message keeps its place and has no text", () => {
  const log = [said(1, "a"), said(2, "b"), { ...base, type: "message_deleted", seq: 3, target: 2 } as const].reduce(append, EMPTY);
  expect(texts(log)).toEqual(["1:a", "2: (deleted)"]);
});

test("older pages go in front, once", () => {
  let log = openLog([said(5, "e"), said(6, "f")], 6);
  expect(beginsLate(log)).toBe(true);
  log = prepend(log, [said(1, "a"), said(2, "b"), said(3, "c"), said(4, "d"), said(5, "e")]);
  log = prepend(log, [said(1, "a")]);
  expect(texts(log)).toEqual(["1:a", "2:b", "3:c", "4:d", "5:e", "6:f"]);
  expect(beginsLate(log)).toBe(false);
});
