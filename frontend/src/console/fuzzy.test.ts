import { expect, test } from "vitest";
import { fit, ranked } from "./fuzzy.ts";

const order = (query: string, ...names: string[]) => ranked(names, query, (n) => n);

test("olga finds what she means by its beginning, a word, a part or a few letters, in this order", () => {
  expect(order("end", "Sender", "Weekend plans", "The end", "End chat", "Edna doe", "Vera")).toEqual(["End chat", "The end", "Sender", "Weekend plans", "Edna doe"]);
});

test("every word has to be found, wherever it stands, without case and accents", () => {
  expect(order("anais go", "Go to Anaïs", "Go to Ben", "Anaïs")).toEqual(["Go to Anaïs"]);
  expect(fit("ÇA", "ca va")).toBeGreaterThan(0);
});

test("nothing typed leaves everything in its order, and what does not fit is not shown", () => {
  expect(order("  ", "b", "a")).toEqual(["b", "a"]);
  expect(order("xyz", "b", "a")).toEqual([]);
  expect(order("x", "axe", "a-x")).toEqual(["a-x", "axe"]);
});

test("a text is looked for as it is written, whatever it would mean elsewhere", () => {
  for (const odd of ["(", "[a-", ".*", "\\", "a{2", "$^"]) expect(order(odd, `go ${odd} now`, "nothing")).toEqual([`go ${odd} now`]);
  expect(order(".*", "abc")).toEqual([]);
});

test("names in other scripts are found by their own letters", () => {
  expect(order("李", "Go to 李", "Go to Ana")).toEqual(["Go to 李"]);
  expect(order("ольг", "Перейти к Ольга")).toHaveLength(1);
});
