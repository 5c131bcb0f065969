/** What the loader draws on the host page: a launcher and a panel, in a shadow root of their own. */
import { onColour, parseHex } from "../design/contrast.ts";
import css from "./loader.css";
import { words } from "./words.ts";

const SVG = "http://www.w3.org/2000/svg";
const BUBBLE = "M5.5 4.5h13a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-4.5 3.7v-3.7H5.5a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2zM8 9h8m-8 3.3h5";
const DOWN = "M6 9.5l6 6 6-6";

export class Panel {
  readonly host: HTMLElement;
  readonly button: HTMLButtonElement;
  private box: HTMLDivElement;
  private hint: HTMLSpanElement;
  private words: HTMLElement;
  private again: HTMLButtonElement;
  private badge: HTMLElement;
  private news: HTMLElement;
  private presence: HTMLElement;
  frame: HTMLIFrameElement | null = null;

  /**
   * Uses nothing that a strict CSP or Trusted Types on the host page would stop (trials C). `lang` is the
   * language of the words, whatever that of the page is; `pressed` is the launcher, `retry` the button of a
   * panel whose chat could not be reached. `place` is the element that holds the open panel, without a
   * launcher; null where it floats over the page.
   */
  constructor(private doc: Document, color: string, lang: string, private place: Element | null, pressed: () => void, retry: () => void) {
    this.host = doc.createElement("chatlead-widget");
    this.host.lang = lang;
    this.host.dir = lang === "ar" ? "rtl" : "ltr";
    const root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    this.paint(color);
    this.box = this.make("div", root);
    this.box.hidden = true;
    this.hint = this.make("span", this.box);
    this.words = this.make("b", this.hint);
    this.words.setAttribute("role", "status");
    this.again = this.make("button", this.hint);
    this.again.type = "button";
    this.again.textContent = words.again;
    this.again.onclick = retry;
    this.button = this.make("button", root);
    this.button.type = "button";
    this.button.ariaLabel = words.launcher;
    this.button.ariaExpanded = "false";
    this.button.append(this.icon(BUBBLE), this.icon(DOWN));
    this.button.onclick = pressed;
    this.badge = this.make("i", this.button);
    this.badge.ariaHidden = "true";
    this.badge.hidden = true;
    this.news = this.make("p", root);
    this.news.setAttribute("aria-live", "polite");
    this.presence = this.make("p", root);
    this.presence.id = "presence";
    this.button.setAttribute("aria-describedby", "presence");
    this.host.toggleAttribute("data-in", (this.button.hidden = !!place));
    (place ?? doc.documentElement).append(this.host); // beside the body, which single-page sites like to replace
  }

  paint(color: string): void {
    const brand = parseHex(color);
    if (!brand) return;
    this.host.style.setProperty("--accent", color);
    this.host.style.setProperty("--on", onColour(brand));
  }

  /** Whether somebody is online, as a dot and in words; null where that is not known. */
  online(on: boolean | null): void {
    this.button.toggleAttribute("data-here", on === true);
    this.presence.textContent = on === null ? "" : on ? words.here : words.away;
  }

  /** The frame is there but unseen until it has spoken; `loaded` is called at each load of its document. */
  load(url: string, loaded: () => void): void {
    const frame = this.doc.createElement("iframe");
    frame.title = words.frame;
    frame.referrerPolicy = "strict-origin";
    // On our own origin (the demo) a sandbox with both of the first two holds nothing, and browsers say so.
    if (!url.startsWith(`${location.origin}/`)) frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox");
    frame.style.visibility = "hidden";
    frame.onload = loaded;
    frame.src = url;
    this.say(words.connecting);
    this.frame = frame;
    this.box.append(frame);
  }

  /** The frame has spoken. From now on it offers the way out on a phone; until then the launcher does. */
  reveal(): void {
    if (!this.frame || this.host.hasAttribute("data-up")) return;
    this.frame.style.visibility = "";
    this.host.toggleAttribute("data-up", true);
    this.say("");
    this.focus();
  }

  say(text: string, again = false): void {
    this.words.textContent = text;
    this.again.hidden = !again;
  }

  /** Takes the frame away; with `unreachable` the panel says so. */
  unload(unreachable: boolean): void {
    this.frame?.remove();
    this.frame = null;
    this.host.removeAttribute("data-up");
    this.say(unreachable ? words.unreachable : "", unreachable);
  }

  open(on: boolean): void {
    this.box.hidden = !on;
    this.button.ariaExpanded = String(on);
    this.fit();
    if (on) this.focus();
    else this.button.focus({ preventScroll: true });
  }

  /** A panel that is part of the page takes the focus from nothing else there. */
  private focus(): void {
    if (!this.box.hidden && !this.place) this.frame?.focus();
  }

  show(on: boolean): void {
    this.host.toggleAttribute("data-off", !on);
  }

  /** `text` is the count in words. */
  unread(count: number, text: string): void {
    this.badge.hidden = !count;
    this.badge.textContent = count > 99 ? "99+" : String(count);
    this.news.textContent = text;
  }

  get isPhone(): boolean {
    return !this.place && matchMedia("(max-width:480px)").matches;
  }

  /** On a phone the panel fills what the keyboard leaves of the screen. */
  fit(): void {
    const seen = visualViewport;
    const { style } = this.box;
    const shrunk = this.isPhone && seen && seen.scale === 1 && seen.height < innerHeight - 1;
    style.height = shrunk ? `${seen.height}px` : "";
    style.top = shrunk ? `${seen.offsetTop}px` : "";
    style.bottom = shrunk ? "auto" : "";
  }

  private make<K extends keyof HTMLElementTagNameMap>(tag: K, parent: Node): HTMLElementTagNameMap[K] {
    return parent.appendChild(this.doc.createElement(tag));
  }

  private icon(path: string): SVGElement {
    const svg = this.doc.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = this.doc.createElementNS(SVG, "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }
}
