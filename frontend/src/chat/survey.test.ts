import { beforeAll, expect, test, vi } from "vitest";

let nameOf: typeof import("./survey.ts").nameOf;

beforeAll(async () => {
  vi.stubGlobal("CSSStyleSheet", class { replaceSync(): void {} });
  vi.stubGlobal("document", { adoptedStyleSheets: [] });
  ({ nameOf } = await import("./survey.ts"));
  vi.unstubAllGlobals();
});

test("bands are read as people say them, and one may always not say (R-043)", () => {
  expect(["u18", "25-34", "65+", "none"].map((code) => nameOf("age", code, "en"))).toEqual(["Under 18", "25 – 34", "65 or over", "Prefer not to say"]);
  expect(["u25", "25-50", "150+", "none"].map((code) => nameOf("income", code, "en"))).toEqual(["Under $25,000", "$25,000 – $49,999", "$150,000 or over", "Prefer not to say"]);
  expect(nameOf("income", "25-50", "de")).toMatch(/^25\.000\s\$ – 49\.999\s\$$/);
});

test("what the firm has written stays as it is", () => {
  expect(nameOf("choice", "25-50", "en")).toBe("25-50");
});
