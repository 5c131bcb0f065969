import { expect, test } from "vitest";
import { localeOf, showTimes, tellZone } from "./times.ts";

type Fake = { dateTime: string; dataset: { moment: string }; textContent: string; title: string };

function shown(moment: string, dateTime: string, locale: string, zone: string): Fake {
  const time: Fake = { dateTime, dataset: { moment }, textContent: "as it came, UTC", title: "" };
  showTimes({ querySelectorAll: () => [time] } as unknown as Document, locale, zone);
  return time;
}
// browsers put other spaces before "PM" than others do
const plain = (text: string) => text.replace(/\s/g, " ");

test("olga in New York reads the evening of the day before, and on hover which zone that is", () => {
  const time = shown("minute", "2026-11-12T02:05:00+00:00", "en-US", "America/New_York");
  expect(plain(time.textContent)).toBe("Nov 11, 2026, 9:05 PM");
  expect(plain(time.title)).toBe("Wednesday, November 11, 2026 at 9:05:00 PM EST");
});

test("a day is that of her zone, and a moment may come with its seconds or without its day", () => {
  const at = "2026-07-31T22:30:07Z";
  expect(shown("day", at, "en-GB", "Europe/Berlin").textContent).toBe("1 Aug 2026");
  expect(shown("second", at, "en-GB", "Europe/Berlin").textContent).toContain("00:30:07");
  expect(shown("clock", at, "es", "Europe/Madrid").textContent).toBe("0:30");
});

test("a form about days is told whose days they are", () => {
  const field = { value: "" };
  tellZone({ querySelectorAll: () => [field] } as unknown as Document);
  expect(field.value).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
});

test("what is no moment stays as the server wrote it", () => {
  expect(shown("minute", "soon", "en", "UTC").textContent).toBe("as it came, UTC");
  expect(shown("", "2026-07-31T22:30:07Z", "en", "UTC")).toMatchObject({ textContent: "as it came, UTC", title: "" });
});

test("the page's language decides, and the reader's kind of it", () => {
  expect(localeOf("en", ["de-DE", "en-GB", "en-US"])).toBe("en-GB");
  expect(localeOf("en-us", ["fr"])).toBe("en-us");
});
