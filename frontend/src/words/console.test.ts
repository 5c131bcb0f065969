/** The console in each of its languages, whole; and nothing that is read on its screens stands anywhere else. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Pages, pages as enPages } from "./console-pages/en.ts";
import { pages as esPages } from "./console-pages/es.ts";
import { type Words, words as enWords } from "./console/en.ts";
import { words as esWords } from "./console/es.ts";
import { digits } from "./numbers.ts";

type Tongue = { words: Words; pages: Pages };
const en: Tongue = { words: enWords, pages: enPages };
const others: Record<string, Tongue> = { es: { words: esWords, pages: esPages } };
const all: Record<string, Tongue> = { en, ...others };
const NAME = "\u2068\u674e\u2069";

/** Words that are the same in both. */
const SAME: Record<string, readonly string[]> = {
  es: ["words.times.minutesAgo(2)", "words.times.minutesAgo(7)", "words.times.hoursAgo(2)", "words.times.hoursAgo(7)", "words.times.daysAgo(2)", "words.times.daysAgo(7)", "words.app.chats", "words.needs.socket", "words.keys.ctrl", "words.keys.alt", "words.keys.esc"],
};
const BY_NUMBER = new Set([
  "settings.seconds", "who.visitor", "who.team", "times.minutesAgo", "times.hoursAgo", "times.daysAgo", "times.minutes", "app.wanting", "app.waitingNow", "lists.lost",
  "talk.newMessages", "talk.sendsIn", "write.tooLong", "write.left", "palette.found", "prepared.atMost", "prepared.choices", "visitor.hidden",
]);

/** Every sentence by its key; those that take something are said with it. */
function sentences({ words, pages }: Tongue): [string, string][] {
  const found: [string, string][] = [];
  const look = (key: string, value: unknown) => {
    if (key === "words.lang" || key === "words.lists.left.") return;
    if (typeof value === "string") found.push([key, value]);
    else if (typeof value === "function") {
      const say = value as (...given: (string | number)[]) => string;
      const given = BY_NUMBER.has(key.replace("words.", "")) ? [2, 7] : [NAME];
      for (const each of given) found.push([`${key}(${each})`, say(each, each, "")]);
    } else for (const [name, inner] of Object.entries(value as object)) look(`${key}.${name}`, inner);
  };
  look("words", words);
  look("pages", pages);
  return found;
}

describe.each(Object.entries(all))("%s", (lang, tongue) => {
  test("says everything, and in the tone of ui.md: no exclamation, no blank sentence", () => {
    expect(sentences(tongue).map(([key]) => key)).toEqual(sentences(en).map(([key]) => key));
    for (const [key, text] of sentences(tongue)) {
      expect(text.trim(), key).not.toBe("");
      expect(text, key).not.toMatch(/[!\u00a1\uff01]|undefined|null|\$\{|#/);
    }
    expect(tongue.words.lang).toBe(lang);
  });

  test("puts in what it is given", () => {
    for (const [key, text] of sentences(tongue)) {
      if (key.endsWith(`(${NAME})`)) expect(text, key).toContain(NAME);
      if (key.endsWith("(7)")) expect(text, key).toContain(digits(lang, 7));
    }
  });

  test("tells one from many", () => {
    const { times, talk, app, write } = tongue.words;
    for (const say of [times.minutes, talk.newMessages, app.waitingNow, write.left, write.tooLong]) {
      expect(say(1)).not.toBe(say(2).replace(digits(lang, 2), digits(lang, 1)));
    }
  });
});

describe.each(Object.entries(others))("%s", (lang, tongue) => {
  test("leaves nothing in English that is not the same word", () => {
    const english = new Map(sentences(en));
    expect(sentences(tongue).filter(([key, text]) => english.get(key) === text).map(([key]) => key)).toEqual(SAME[lang]);
  });

  test("nobody is called by a first name's t\u00fa", () => {
    const text = sentences(tongue).map(([, each]) => each).join("\n");
    expect(text).not.toMatch(/(^|[^\p{L}])(t\u00fa|tu|tus|te|ti|puedes|escribe un|quieres|abre|permite que)(?!\p{L})/imu);
  });
});

describe("the screens", () => {
  const folder = new URL("../console/", import.meta.url);
  const sources = readdirSync(folder).filter((name) => /\.tsx?$/.test(name) && !/test/.test(name));
  /** Names of keys and of things that nobody reads. */
  const CODE = /^(Enter|Escape|Tab|Home|End|Arrow(Up|Down|Left|Right)|Digit.*|Bearer|Backspace|Delete)$/;

  /** What a person would read although it is not of words/console: text of an element, names, sentences. */
  function read(source: string): string[] {
    const text = source.replace(/\/\*[^]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1").replace(/<Icon name=[^>]*>|<[A-Z]\w*>(?=\()/g, "");
    const inElements = !/<\/|\/>/.test(text) ? [] : [...text.matchAll(/>([^<>{}=;()|&?:]*\p{L}{2,}[^<>{}=;()|&?]*)</gu)].map((m) => m[1]!);
    const named = [...text.matchAll(/\b(?:name|label|title|hint|alt|placeholder|aria-label|aria-description|text)=["'`]([^"'`]*\p{L}[^"'`]*)["'`]/gu)].map((m) => m[1]!);
    const quoted = [...text.matchAll(/(["`])(\p{Lu}[^"`\n]*?)\1/gu)].map((m) => m[2]!);
    const sentences = quoted.filter((each) => /^\p{Lu}\p{Ll}+([ ,.:\u2026]|$)/u.test(each) && !CODE.test(each));
    return [...inElements, ...named, ...sentences].map((each) => each.trim()).filter(Boolean);
  }

  test("would be caught", () => {
    expect(read('<p>Nobody waits</p>')).toEqual(["Nobody waits"]);
    expect(read('<b aria-label="close">{x}</b>')).toEqual(["close"]);
    expect(read('const x = n ? "All right" : `Visitor ${n}`;')).toEqual(["All right", "Visitor ${n}"]);
    expect(read('if (e.key === "Enter" && a > 3) say.app.chats; // "Not this"')).toEqual([]);
  });

  test.each(sources)("%s says nothing of its own", (name) => {
    const own = read(readFileSync(new URL(name, folder), "utf8")).filter((each) => each !== "ChatLead" && !(name === "language.ts" && /^(English|Espa\u00f1ol)$/.test(each)));
    expect(own).toEqual([]);
  });
});

describe("what was built", () => {
  const dist = new URL("../../../static/dist/", import.meta.url);
  const built = (name: string) => readFileSync(new URL(name, dist), "utf8").replace(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/gi, (_, a, b) => String.fromCharCode(parseInt(a ?? b, 16)));

  test("each console has the words of its language and of no other", () => {
    for (const lang of Object.keys(all)) {
      const script = built(lang === "en" ? "console.js" : `console.${lang}.js`);
      for (const [other, { words }] of Object.entries(all)) expect(script.includes(words.lists.nobodyWaits), `${other} in ${lang}`).toBe(other === lang);
    }
  });

  test("the server is given the words of its own pages in all of them", () => {
    expect(JSON.parse(built("console.words.json"))).toEqual(Object.fromEntries(Object.entries(all).map(([lang, { pages }]) => [lang, pages])));
  });
});
