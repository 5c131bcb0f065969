import { expect, test } from "vitest";
import { view, VERA } from "./cast.test-kit.ts";
import { doubledAt, factsOf, filled, matching, slashAt } from "./canned.ts";
import { fromView } from "./chat.ts";

const at = (text: string) => slashAt(text, text.length);

test("a slash asks for a reply at the beginning of a word and nowhere else", () => {
  expect(at("/")).toEqual({ from: 0, query: "" });
  expect(at("Hello /fe")).toEqual({ from: 6, query: "fe" });
  expect(at("Hello\n/fe")).toEqual({ from: 6, query: "fe" });
  for (const text of ["", "and/or", "https://acme.test/fees", "1/2", "/fee is", "//"]) expect(at(text)).toBeNull();
  expect(slashAt("/fee and more", 3)).toEqual({ from: 0, query: "fe" });
});

test("two slashes are one that asks for nothing", () => {
  expect(doubledAt("//", 2)).toBe(0);
  expect(doubledAt("see //", 6)).toBe(4);
  for (const text of ["/", "http://", "///", "a//"]) expect(doubledAt(text, text.length)).toBe(-1);
});

const replies = [
  { uid: "1", shortcut: "fee", text: "The first talk is free." },
  { uid: "2", shortcut: "free", text: "It costs nothing." },
  { uid: "3", shortcut: "hours", text: "From nine to five." },
];
const named = (query: string) => matching(replies, query).map((r) => r.shortcut);

test("replies are found by their shortcut first, then by what they say", () => {
  expect(named("")).toEqual(["fee", "free", "hours"]);
  expect(named("fr")).toEqual(["free", "fee", "hours"]);
  expect(named("nine")).toEqual(["hours"]);
  expect(named("xyz")).toEqual([]);
});

const facts = { visitor_name: "Vera", operator_name: "Olga", site: "acme.test" };

test("what stands in braces is filled in once, and what is not known takes its blank along", () => {
  expect(filled("Hello {visitor_name}, I am {operator_name} of {site}.", facts)).toBe("Hello Vera, I am Olga of acme.test.");
  expect(filled("Hello {visitor_name}, how are you?", { ...facts, visitor_name: "" })).toBe("Hello, how are you?");
});

test("a name is a name, whatever is in it, and other braces stay (P-15)", () => {
  expect(filled("Hello {visitor_name}", { ...facts, visitor_name: "{site} $& $1" })).toBe("Hello {site} $& $1");
  const odd = "{{7*7}} ${x} {VISITOR_NAME} {constructor} {__proto__} {}";
  expect(filled(odd, facts)).toBe(odd);
  expect(filled("{{site}}", facts)).toBe("{acme.test}");
});

test("the visitor is called by what she has said, and by nothing where she has not", () => {
  const vera = fromView(view(VERA));
  expect(factsOf(vera, "Olga")).toEqual({ ...facts, site: "acme.test" });
  expect(factsOf(fromView(view(VERA, { visitor: { uid: "v", number: 7 } })), "Olga").visitor_name).toBe("");
});
