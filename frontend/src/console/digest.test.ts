import { crc32 as zlibCrc32 } from "node:zlib";
import { expect, test } from "vitest";
import { active, DANA, SAM, VERA, view, welcome } from "./cast.test-kit.ts";
import { digest, positions } from "./digest.ts";
import { apply, nothing } from "./state.ts";

const hex = (text: string) => zlibCrc32(text).toString(16).padStart(8, "0");

test("the digest is the CRC-32 of the sorted positions and the newest missed chat", () => {
  const marks = { visitor_read: 2, operator_delivered: 4 };
  const s = apply(nothing, welcome([view(VERA), { ...active(DANA, ["a"]), marks, staff_seq: 5 }], { missed: [view("missed-newest-uid-0000", { state: "missed" })] }));
  expect(digest(s)).toBe(hex(`${DANA}:3:5:6;${VERA}:1:0:0;missed:missed-newest-uid-0000`));
});

test("with nothing to do the digest still covers the missed chats", () => {
  expect(digest(apply(nothing, welcome()))).toBe(hex(";missed:"));
});

test("chats of colleagues and chats that ended do not count", () => {
  let s = apply(nothing, welcome([active(VERA), active(DANA)]));
  s = apply(s, { type: "chat_closed", chat: DANA, seq: 3, at: 0, author: "visitor", state: "closed", reason: "ended" });
  expect(Object.keys(positions(s))).toEqual([VERA]);
  s = apply(s, { type: "chat_transferred", chat: VERA, seq: 3, at: 0, author: "operator", state: "active", department: "Sales", department_uid: "x", to_operator: SAM });
  expect(positions(s)).toEqual({});
});

test("eight digits, even when the number is small", () => {
  const many = Array.from({ length: 300 }, (_, i) => apply(nothing, welcome([view(`chat-${i}-uid-0000000000`)])));
  for (const s of many) expect(digest(s)).toMatch(/^[0-9a-f]{8}$/);
});
