import { expect, test } from "vitest";
import { browserId, forgetBrowser } from "./identity.ts";

/** A document's cookie jar as browsers write and read it. */
function page(protocol = "https:", refuses = false) {
  const jar = new Map<string, string>();
  const written: string[] = [];
  const doc = {
    location: { protocol },
    get cookie() {
      if (refuses) return "";
      return [...jar].map(([k, v]) => `${k}=${v}`).join("; ");
    },
    set cookie(line: string) {
      written.push(line);
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (refuses) return;
      if (line.includes("Max-Age=0")) jar.delete(name!);
      else jar.set(name!, value!);
    },
  };
  return { doc: doc as unknown as Document, written };
}

test("the id is 128 random bits that mean nothing, and stays the same (R-122)", () => {
  const { doc, written } = page();
  const id = browserId(doc, "acme");
  expect(id).toMatch(/^[0-9a-f]{32}$/);
  expect(browserId(doc, "acme")).toBe(id);
  expect(written).toHaveLength(1);
  expect(browserId(page().doc, "acme")).not.toBe(id);
});

test("it lives for thirteen months at most and is never renewed, first-party and lax (R-122)", () => {
  const { doc, written } = page();
  browserId(doc, "acme");
  const age = Number(/Max-Age=(\d+)/.exec(written[0]!)![1]);
  expect(age).toBeLessThanOrEqual(13 * 30.5 * 86_400);
  expect(written[0]).toMatch(/; Path=\/; SameSite=Lax; Secure$/);
  browserId(doc, "acme");
  expect(written).toHaveLength(1);
  const plain = page("http:");
  browserId(plain.doc, "acme");
  expect(plain.written[0]).not.toContain("Secure");
});

test("two tenants get ids that have nothing to do with each other (R-122)", () => {
  const { doc } = page();
  expect(browserId(doc, "acme")).not.toBe(browserId(doc, "rival"));
});

test("where the page keeps no cookies there is no id, and no exception", () => {
  expect(browserId(page("https:", true).doc, "acme")).toBe("");
  const sandboxed = { location: { protocol: "https:" }, get cookie(): string { throw new DOMException("sandboxed", "SecurityError"); } };
  expect(browserId(sandboxed as Document, "acme")).toBe("");
  expect(() => forgetBrowser(sandboxed as Document, "acme")).not.toThrow();
});

test("a cookie of that name with something else in it is replaced", () => {
  const { doc } = page();
  doc.cookie = "chatlead_acme=<script>";
  expect(browserId(doc, "acme")).toMatch(/^[0-9a-f]{32}$/);
});

test("after logging out the next visit is somebody else's", () => {
  const { doc } = page();
  const before = browserId(doc, "acme");
  forgetBrowser(doc, "acme");
  expect(browserId(doc, "acme")).not.toBe(before);
});
