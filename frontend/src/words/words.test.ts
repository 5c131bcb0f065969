/** Six languages, each whole: nothing left in English by mistake, nothing left out, numbers as people say them. */
import { existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { dates } from "../design/dates.ts";
import { fieldsOf, welcomeOf } from "../chat/form.ts";
import type { SiteView } from "../wire/protocol.ts";
import * as ar from "./ar.ts";
import * as de from "./de.ts";
import * as en from "./en.ts";
import * as es from "./es.ts";
import * as fr from "./fr.ts";
import { digits, localeOf } from "./numbers.ts";
import * as pt from "./pt.ts";

type Tongue = { chat: en.Chat; loader: en.Loader; page: en.Page; extras: en.Extras; survey: en.Survey; mail: en.Mail };
const others: Record<string, Tongue> = { es, fr, de, pt, ar };
const all: Record<string, Tongue> = { en, ...others };

/** Words that are the same in English and in that language. */
const SAME: Record<string, string[]> = {
  es: ["loader.frame", "chat.chat"],
  fr: ["chat.conversation", "chat.message"],
  de: ["loader.frame", "chat.name", "chat.chat"],
  pt: ["loader.frame", "chat.chat"],
  ar: [],
};
const NAME = "\u2068\u674e\u2069";

/** Every sentence of a language by its key; those that take something are said with a name and with numbers. */
function sentences(tongue: Tongue): [string, string][] {
  const found: [string, string][] = [];
  const look = (key: string, value: unknown) => {
    if (key.endsWith(".lang")) return;
    if (typeof value === "string") found.push([key, value]);
    else if (typeof value === "function") {
      const say = value as (given: string | number) => string;
      if (BY_NUMBER.has(key)) for (const n of NUMBERS) found.push([`${key}(${n})`, say(n)]);
      else {
        found.push([`${key}(name)`, say(NAME)]);
        if (!ALWAYS_NAMED.has(key)) found.push([`${key}()`, say("")]);
      }
    } else for (const [name, inner] of Object.entries(value as object)) look(`${key}.${name}`, inner);
  };
  for (const part of ["loader", "page", "chat", "extras", "survey", "mail"] as const) look(part, tongue[part]);
  return found;
}
const BY_NUMBER = new Set(["chat.waitingNth", "chat.waitingAbout", "chat.replyUsual", "chat.unread", "chat.tooLong", "chat.left"]);
const ALWAYS_NAMED = new Set(["extras.sent", "chat.leftText", "chat.moved", "chat.movedTo", "chat.required"]);
const NUMBERS = [0, 1, 2, 3, 11, 21, 100, 1_000_000];

afterEach(() => vi.unstubAllGlobals());

describe.each(Object.entries(all))("%s", (lang, tongue) => {
  test("says everything, and in the tone of ui.md: no exclamation, no blank sentence", () => {
    const keys = sentences(tongue).map(([key]) => key);
    expect(keys).toEqual(sentences(en).map(([key]) => key));
    for (const [key, text] of sentences(tongue)) {
      expect(text.trim(), key).toBe(text);
      expect(text, key).not.toBe("");
      expect(text, key).not.toMatch(/[!\u00a1\uff01]|undefined|null|\$\{|#/);
    }
    expect(tongue.chat.lang).toBe(lang);
  });

  test("puts in what it is given", () => {
    for (const [key, text] of sentences(tongue)) if (key.endsWith("(name)")) expect(text, key).toContain(NAME);
    for (const n of [3, 11, 100]) {
      for (const say of [tongue.chat.waitingNth, tongue.chat.waitingAbout, tongue.chat.replyUsual, tongue.chat.unread, tongue.chat.tooLong, tongue.chat.left]) expect(say(n)).toContain(digits(lang, n));
    }
  });

  test("tells one from many", () => {
    for (const say of [tongue.chat.unread, tongue.chat.waitingAbout, tongue.chat.replyUsual]) expect(say(1)).not.toBe(say(2).replace(digits(lang, 2), digits(lang, 1)));
  });
});

describe.each(Object.entries(others))("%s", (lang, tongue) => {
  test("leaves nothing in English that is not the same word", () => {
    const english = new Map(sentences(en));
    const left = sentences(tongue).filter(([key, text]) => english.get(key) === text).map(([key]) => key);
    expect(left).toEqual(SAME[lang]);
  });
});

test("nobody is called by a first name's tu, du or toi", () => {
  const say = (tongue: Tongue) => sentences(tongue).map(([, text]) => text).join("\n");
  expect(say(fr)).not.toMatch(/(^|[^\p{L}])(tu|ton|ta|tes|toi|te)(?!\p{L})/imu);
  expect(say(de)).not.toMatch(/(^|[^\p{L}])(du|dein\p{L}*|dich|dir)(?!\p{L})/imu);
  expect(say(es)).not.toMatch(/(^|[^\p{L}])(t\u00fa|tu|tus|te|puedes|escribe|quieres)(?!\p{L})/imu);
});

test("French sets a space that does not break before its colons and question marks", () => {
  for (const [key, text] of sentences(fr)) expect(text, key).not.toMatch(/[^\u00a0][?:;]/);
});

test("Arabic holds no Latin word but a name", () => {
  for (const [key, text] of sentences(ar)) expect(text.replace("JavaScript", ""), key).not.toMatch(/[a-z]/i);
});

test("Arabic has six plurals and uses each", () => {
  for (const say of [ar.chat.unread, ar.chat.left, ar.chat.tooLong]) {
    const forms = [0, 1, 2, 3, 11, 100].map((n) => say(n).replace(digits("ar", n), ""));
    expect(forms[0], "zero").not.toBe(forms[1]);
    expect(new Set(forms).size).toBeGreaterThanOrEqual(5); // "many" and "other" of a feminine noun are one word
  }
  expect([0, 1, 2, 3, 11, 100].map((n) => ar.chat.left(n))).toEqual([
    "\u0644\u0645 \u064a\u0628\u0642\u064e \u0623\u064a \u062d\u0631\u0641",
    "\u0628\u0642\u064a \u062d\u0631\u0641 \u0648\u0627\u062d\u062f",
    "\u0628\u0642\u064a \u062d\u0631\u0641\u0627\u0646",
    `\u0628\u0642\u064a\u062a ${digits("ar", 3)} \u0623\u062d\u0631\u0641`,
    `\u0628\u0642\u064a ${digits("ar", 11)} \u062d\u0631\u0641\u064b\u0627`,
    `\u0628\u0642\u064a ${digits("ar", 100)} \u062d\u0631\u0641`,
  ]);
});

test("a place in line is said in each language's way", () => {
  expect([1, 2, 3, 4, 11, 21, 22, 113].map(en.chat.waitingNth).map((s) => s.split(" ")[2])).toEqual(["1st", "2nd", "3rd", "4th", "11th", "21st", "22nd", "113th"]);
  expect(en.chat.waitingNth(2) + en.chat.waitingAbout(3)).toBe("You are 2nd in line, about 3 minutes"); // ui.md
  expect(en.chat.waitingFirst + en.chat.waitingAbout(1)).toBe("You are next in line, about 1 minute");
  expect(es.chat.waitingNth(2)).toContain("2.\u00aa");
  expect(fr.chat.waitingNth(2)).toContain("2e position");
  expect(de.chat.waitingNth(2)).toContain("an 2. Stelle");
  expect(pt.chat.waitingNth(2)).toContain("2\u00aa");
});

test("numbers and times are those of the language shown, in the reader's own kind of it", () => {
  vi.stubGlobal("navigator", { languages: ["en-GB", "de-AT", "de"] });
  expect([localeOf("en"), localeOf("de"), localeOf("fr")]).toEqual(["en-GB", "de-AT", "fr"]);
  const noon = new Date(2026, 5, 1, 15, 5).getTime();
  expect(dates("de", de.chat).dayName(noon, noon + 5 * 86_400_000)).toBe("Montag, 1. Juni");
  expect(dates("es", es.chat).dayName(noon, noon)).toBe("Hoy");
  expect(dates("fr", fr.chat).dayName(noon - 86_400_000, noon)).toBe("Hier");
  expect(dates("de", de.chat).timeOf(noon)).toBe("15:05");
  expect(dates("en-US", en.chat).timeOf(noon)).toMatch(/^03:05\sPM$/);
  expect([digits("en", 40_000), digits("pt", 40_000)]).toEqual(["40,000", "40.000"]);
});

test("what a firm has written stays; what it left as it came is ours to say", () => {
  const site = (welcome: string, label: string) => ({ welcome, fields: [{ name: "name", label, kind: "text" }] }) as unknown as SiteView;
  expect(welcomeOf(site("How can we help?", ""))).toBe(en.chat.welcome);
  expect(welcomeOf(site("  ", ""))).toBe(en.chat.welcome);
  expect(welcomeOf(site("Bienvenue chez nous", ""))).toBe("Bienvenue chez nous");
  expect(fieldsOf(site("", "Your full name"))[0]!.label).toBe("Your full name");
  expect(fieldsOf(site("", "Name"))[0]!.label).toBe(en.chat.name);
});

describe("what was built", () => {
  const dist = new URL("../../../static/dist/", import.meta.url);
  const built = (lang: string) => readFileSync(new URL(lang === "en" ? "chat.js" : `chat.${lang}.js`, dist), "utf8").replace(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/gi, (_, a, b) => String.fromCharCode(parseInt(a ?? b, 16)));

  test("each script of the chat has the words of its language and of no other", () => {
    for (const lang of Object.keys(all)) {
      for (const [other, tongue] of Object.entries(all)) expect(built(lang).includes(tongue.chat.nobodyHint), `${other} in ${lang}`).toBe(other === lang);
    }
  });

  test("the server is given the words of loader, survey and mail in all of them, and the loader holds English only", () => {
    const spoken = JSON.parse(readFileSync(new URL("words.json", dist), "utf8")) as object;
    expect(spoken).toEqual(Object.fromEntries(Object.entries(all).map(([lang, { loader, page, survey, mail }]) => [lang, { loader, page, survey, mail }])));
    const loader = readFileSync(new URL("loader.js", dist), "utf8");
    expect(loader).toContain(en.loader.launcher);
    expect(loader).not.toContain(de.loader.launcher);
    expect(existsSync(new URL("chat.en.js", dist))).toBe(false);
  });

  test("what is fetched later speaks the language of the chat that fetches it", () => {
    for (const lang of Object.keys(all)) {
      const name = lang === "en" ? "extras.js" : `extras.${lang}.js`;
      expect(built(lang), lang).toContain(`./${name}?v=`);
      const text = readFileSync(new URL(name, dist), "utf8");
      for (const [other, tongue] of Object.entries(all)) expect(text.includes(tongue.extras.failed.offline), `${other} in ${lang}`).toBe(other === lang);
    }
  });

  test("a chat in any language is at most a kilobyte more than in English", () => {
    for (const lang of Object.keys(others)) expect(built(lang).length - built("en").length, lang).toBeLessThan(1_100);
  });
});

describe("right to left", () => {
  const sheet = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8").replace(/\/\*[^]*?\*\//g, "");

  /** What lies at a side whatever the direction: the launcher is at the site's corner, and the rest is drawn alike on both sides. */
  const PHYSICAL: Record<string, RegExp[]> = {
    "loader/loader.css": [/^\s+right: (1|-3|20)px;/],
    "design/components.css": [/border-right-color: transparent/, /background-position: (right|left) 1[27]px/],
    "chat/chat.css": [],
    "design/base.css": [],
  };

  test.each(Object.keys(PHYSICAL))("%s says start and end, not left and right", (path) => {
    const lines = sheet(path).split("\n").filter((line) => /\b(left|right)\b/.test(line) && !PHYSICAL[path]!.some((known) => known.test(line)));
    expect(lines).toEqual([]);
    const four = [...sheet(path).matchAll(/(?:margin|padding|inset|border-radius|border-width): *(\S+) (\S+) (\S+) (\S+);/g)].filter((m) => m[2] !== m[4]);
    expect(four.map((m) => m[0])).toEqual([]);
  });
});
