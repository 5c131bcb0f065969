import { expect, test } from "vitest";
import { displayName, initials, linked, tint, webAddress } from "./names.ts";

test.each(["X", "李", "O'Brien", "Jean-Luc de la Tour", "<b>x</b>", "=1+1", "نور", "👩‍👩‍👧", "a".repeat(200)])("the name %s is shown as it was written (R-030)", (name) => {
  expect(displayName(name)).toBe(name);
});

test("controls and bidi overrides in a name do not reach the screen (R-030)", () => {
  expect(displayName("ve\u202era\u0000\n\u2066x\u200f\u2028y")).toBe("ve ra x y");
  expect(displayName("\u202e\u0007")).toBe("");
});

test("initials are whole letters of the first and last word", () => {
  expect(["Olga", "Jean-Luc de la Tour", "李 小龙", "élan vital", "👩‍👩‍👧 Sam", "", "<b>x</b>"].map(initials)).toEqual(["O", "JT", "李小", "ÉV", "S", "·", "B"]);
});

test("the tint of a name is stable and one of six", () => {
  expect(tint("Olga")).toBe(tint("Olga"));
  for (const n of ["", "a", "李", "x".repeat(500)]) expect([1, 2, 3, 4, 5, 6]).toContain(tint(n));
});

test("web addresses in a text become links, and the text stays whole", () => {
  const text = "See https://harbor.test/injuries?a=1&b=(2), or (http://x.test/y). Bye.";
  const pieces = linked(text);
  expect(pieces.filter((p) => p.href).map((p) => p.text)).toEqual(["https://harbor.test/injuries?a=1&b=(2)", "http://x.test/y"]);
  expect(pieces.map((p) => p.text).join("")).toBe(text);
});

test.each(["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "java\nscript:x", "vbscript:x", "file:///etc/passwd", "//evil.test", "http://", "<a href=https:>"])("%s never becomes a link (P-2)", (text) => {
  expect(linked(text).every((p) => !p.href)).toBe(true);
  expect(webAddress(text)).toBeNull();
});

test.each(["https://bank.test@evil.test/", "https://bank.test:443@evil.test", "http://a:b@evil.test", "https://:x@evil.test/"])("%s leads elsewhere than it reads, so it is no link (D-7)", (text) => {
  expect(linked(text).every((p) => !p.href)).toBe(true);
  expect(webAddress(text)).toBeNull();
});

test("an address cannot hide its end behind a bidi override", () => {
  expect(linked("https://a.test/\u202efdp.exe").find((p) => p.href)?.text).toBe("https://a.test/");
});
