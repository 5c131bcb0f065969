/**
 * The loader: runs on the customer's page, draws the launcher, and brings the chat frame when it is wanted.
 * One global (`ChatLead`), no wait for anything of ours, nothing thrown, nothing drawn while the server is
 * away. It holds nothing that opens a chat: the ticket it passes on is good once and for 60 s.
 */
import type { ToFrame, ToLoader } from "../chat/bridge.ts";
import { backoff } from "../wire/backoff.ts";
import { PROTOCOL } from "../wire/protocol.ts";
import { browserId, forgetBrowser } from "./identity.ts";
import { Live } from "./live.ts";
import { Events, install, installed } from "./queue.ts";
import { Panel } from "./panel.ts";
import { words } from "./words.ts";

/** On a bad line the frame's files take long; a frame that is there and says nothing is none of ours. */
const SLOW_MS = 8_000;
const LOAD_MS = 45_000;
const SPEAK_MS = 4_000;
/** Between the page's `load` and our socket. */
const REST_MS = 1_000;
const IDLE_MS = 5_000;
/** Whoever was greeted, or has opened the chat, is not greeted again before this, in whatever tab. */
const GREETED_MS = 12 * 3_600_000;

/** What a launcher is drawn from; the last four are there only where there is something to say. */
interface Facts {
  color: string;
  online: string[];
  lang?: string;
  words?: object;
  /** Rules behind our own: where the launcher stands, and how a greeting looks. */
  css?: string;
  /** `after` so many seconds; `close` is what its button to put it away is called. */
  greeting?: { text: string; close: string; after: number };
}

function start(script: HTMLScriptElement, key: string): void {
  const { inline } = script.dataset;
  const server = new URL(script.src).origin;
  const site = encodeURIComponent(key);
  const language = `lang=${encodeURIComponent(script.dataset["language"] ?? "")}`; // the page's own, if it says so
  const events = new Events();
  // Only the flag that a chat goes on: "1", or "2" with its panel open.
  const flag = `chatlead:${key}:chat`;
  const mark = `chatlead:${key}:greeted`;
  let greeting: Facts["greeting"];
  let panel: Panel | null = null;
  let place: Element | null = null;
  let open = false;
  let shown = true;
  let wanted = false;
  let fresh = false;
  let talking = false;
  let greeted = false; // before its document is there the frame has another origin, and the browser complains
  let gone = false;
  let unread = 0;
  let later: ReturnType<typeof setTimeout> | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;

  const tell = (message: ToFrame) => greeted && panel?.view?.contentWindow?.postMessage(message, server);

  /** `refused` says that it is not the line: this page, or this site, is to have none. */
  const ticket = async (): Promise<{ ticket: string; refused: boolean }> => {
    try {
      const answer = await fetch(`${server}/widget/v1/ticket`, { method: "POST", body: JSON.stringify({ site: key }), credentials: "omit" });
      const { ticket = "" } = (await answer.json()) as { ticket?: string };
      return { ticket, refused: isRefusal(answer) };
    } catch {
      return { ticket: "", refused: false };
    }
  };

  const load = () => {
    if (!panel || panel.view) return;
    const id = browserId(document, key);
    const url = `${server}/widget/v1/frame?site=${site}&${language}${fresh ? "&fresh=1" : ""}${place ? "&inline=1" : ""}`;
    fresh = false;
    greeted = false;
    panel.bring(url, () => {
      greeted = true;
      clearTimeout(silence);
      silence = setTimeout(giveUp, SPEAK_MS);
      tell({ chatlead: 1, type: "init", browser: id, url: location.href.slice(0, 2048), open });
    });
    clearTimeout(silence);
    silence = setTimeout(() => {
      panel?.note(words.slow);
      silence = setTimeout(giveUp, LOAD_MS - SLOW_MS);
    }, SLOW_MS);
  };

  const giveUp = () => panel?.unload(true);

  const remember = () => tried(() => (talking ? sessionStorage.setItem(flag, open ? "2" : "1") : sessionStorage.removeItem(flag)));

  const setOpen = (on: boolean) => {
    if (!panel) {
      wanted = on;
      return;
    }
    if (place) on = true; // there is nothing to put it away into
    if (on) load();
    if (on === open) return;
    open = on;
    if (on) isFirst();
    panel.unfold(on);
    tell({ chatlead: 1, type: on ? "open" : "close" });
    remember();
    events.emit(on ? "open" : "close");
    if (gone) leave();
  };

  const setUnread = (count: number, text = "") => {
    if (count === unread) return;
    unread = count;
    panel?.tally(count, text);
    events.emit("unread", { count });
  };

  const hear = async (e: MessageEvent) => {
    const frame = panel?.view;
    if (!frame || e.source !== frame.contentWindow || e.origin !== server) return;
    const m = e.data as ToLoader | null;
    if (typeof m !== "object" || m?.chatlead !== 1) return;
    clearTimeout(silence);
    panel!.reveal();
    if (m.type === "ticket") {
      const answer = await ticket();
      if (panel?.view === frame) tell({ chatlead: 1, type: "ticket", ...answer });
      if (answer.refused) leave();
    } else if (m.type === "close") setOpen(false);
    else if (m.type === "unread") open ? setUnread(0) : setUnread(Number(m.count) || 0, m.text);
    else if (m.type === "chat") {
      talking = m.open === true;
      remember();
    } else if (m.type === "event" && /^(chat_started|message|chat_ended|survey_sent)$/.test(m.name)) events.emit(m.name, m.detail);
  };

  /** Whether it is the first time, which from now on it is not. False where a page keeps nothing: it would greet at every step. */
  const isFirst = () =>
    greeting && tried(() => {
      const last = Number(localStorage[mark]);
      localStorage[mark] = Date.now();
      return localStorage[mark] && !(Date.now() - last < GREETED_MS);
    });

  const greet = () => {
    if (!open && !talking && !gone && !place && shown && isFirst()) panel!.greet(greeting!.text, greeting!.close, () => setOpen(true));
  };

  const draw = (facts: Facts) => {
    place = inline ? document.querySelector(inline) : null;
    panel = new Panel(document, facts.color, facts.lang ?? "en", facts.css ?? "", place, () => setOpen(!open), load);
    panel.attend(facts.online.length > 0);
    greeting = facts.greeting;
    if (greeting) setTimeout(greet, greeting.after * 1000);
    panel.appear(shown);
    addEventListener("message", (e) => void hear(e));
    addEventListener("online", () => open && load());
    panel.shell.shadowRoot!.addEventListener("keydown", (e) => {
      if ((e as KeyboardEvent).key !== "Escape") return;
      panel!.hush();
      setOpen(false);
    });
    for (const change of ["resize", "scroll"]) visualViewport?.addEventListener(change, () => open && panel!.fit());
    setTimeout(recall);
    if (mayListen(script)) afterLoad(listen);
  };

  const listen = () => {
    new Live({
      url: `${server.replace("http", "ws")}/ws/v1/visitor`,
      hello: () => ({ type: "hello", protocol: PROTOCOL, role: "page", site: key, page_url: location.origin }),
      heard: (news) => {
        panel!.attend(news.online.length > 0);
        if (news.type === "page_welcome") panel!.paint(news.color);
      },
      lost: () => panel!.attend(null),
      refused: leave,
    });
  };

  /** The site wants no chat here any more. Who is in one reads that in its frame. */
  const leave = () => {
    gone = true;
    panel!.attend(null);
    if (!open && !talking) panel!.appear(false);
  };

  /** The first touch of a page's storage takes its time, so this has a moment of its own. */
  const recall = () => {
    const known = tried(() => sessionStorage.getItem(flag));
    if (known) {
      talking = true;
      load();
    }
    events.emit("ready");
    if (wanted || place || (known === "2" && !panel!.isPhone)) setOpen(true);
  };

  const facts = async (attempt: number): Promise<void> => {
    clearTimeout(later);
    removeEventListener("online", sooner);
    try {
      const answer = await fetch(`${server}/widget/v1/site/${site}?${language}`, { credentials: "omit" });
      if (answer.ok) {
        const facts = (await answer.json()) as Facts;
        if (inline && document.readyState === "loading") await new Promise((done) => addEventListener("DOMContentLoaded", done));
        Object.assign(words, facts.words);
        draw(facts);
        return;
      }
      if (isRefusal(answer)) return; // not our page, or no such site
    } catch {
      // the server is away: nothing is shown, and asked again later
    }
    later = setTimeout(() => void facts(attempt + 1), 5_000 + 20 * backoff(attempt));
    addEventListener("online", sooner);
  };
  const sooner = () => void facts(0);

  install(window as { ChatLead?: unknown }, {
    open: () => setOpen(true),
    close: () => setOpen(false),
    show: () => {
      shown = true;
      panel?.appear(!gone);
    },
    hide: () => {
      shown = false;
      setOpen(false);
      panel?.appear(false);
    },
    reset: () => {
      setOpen(false);
      clearTimeout(silence);
      panel?.unload(false);
      fresh = true;
      talking = false;
      remember();
      forgetBrowser(document, key);
      setUnread(0);
      if (place) load();
    },
    on: (name, listener) => events.on(name, listener),
    off: (name, listener) => events.off(name, listener),
  });
  void facts(0);
}

/** What the page's storage says; nothing where it is refused: the chat then goes on in this page only. */
function tried<T>(use: () => T): T | undefined {
  try {
    return use();
  } catch {
    return undefined;
  }
}

/** An answer that will be the same however often it is asked for. */
function isRefusal(answer: Response): boolean {
  return /^4(?!29)/.test(`${answer.status}`);
}

/**
 * A policy that lets our requests through may still forbid sockets, and a browser writes an error into the
 * page's console for asking. Where there is a policy to be seen, the page says that it has allowed them.
 */
function mayListen(script: HTMLScriptElement): boolean {
  return "live" in script.dataset || !(script.nonce || document.querySelector('meta[http-equiv="Content-Security-Policy" i]'));
}

/** Once the page is there and has nothing to do. */
function afterLoad(task: () => void): void {
  const rest = () => setTimeout(() => ("requestIdleCallback" in window ? requestIdleCallback(task, { timeout: IDLE_MS }) : task()), REST_MS);
  if (document.readyState === "complete") rest();
  else addEventListener("load", rest);
}

try {
  const script = (document.currentScript ?? document.querySelector("script[data-site][src*='/widget/v1/loader']")) as HTMLScriptElement | null;
  const key = script?.dataset["site"];
  if (script && key && !installed(window as { ChatLead?: unknown })) start(script, key);
} catch {
  // an old or unusual browser: the page goes on without a chat
}
