/** What the loader draws on the host page: a launcher and a panel, in a shadow root of their own. */
import { onColour, parseHex } from "../design/contrast.ts";
import css from "./loader.css";
import { words } from "./words.ts";

const SVG = "http://www.w3.org/2000/svg";
const BUBBLE = "M5.5 4.5h13a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-4.5 3.7v-3.7H5.5a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2zM8 9h8m-8 3.3h5";
const DOWN = "M6 9.5l6 6 6-6";

export class Panel {
  readonly shell: HTMLElement;
  readonly opener: HTMLButtonElement;
  private box: HTMLDivElement;
  private hint: HTMLSpanElement;
  private told: HTMLElement;
  private retry: HTMLButtonElement;
  private badge: HTMLElement;
  private aloud: HTMLElement;
  private presence: HTMLElement;
  private bubble: HTMLElement | null = null;
  view: HTMLIFrameElement | null = null;

  /**
   * Uses nothing that a strict CSP or Trusted Types on the host page would stop (trials C). `lang` is the
   * language of the words, whatever that of the page is; `more` are rules of the site's own; `pressed` is the launcher, `retry` the button of a
   * panel whose chat could not be reached. `place` is the element that holds the open panel, without a
   * launcher; null where it floats over the page.
   */
  constructor(private doc: Document, color: string, lang: string, more: string, private place: Element | null, pressed: () => void, retry: () => void) {
    this.shell = doc.createElement("chatlead-widget");
    this.shell.lang = lang;
    this.shell.dir = lang === "ar" ? "rtl" : "ltr";
    const root = this.shell.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css + more);
    root.adoptedStyleSheets = [sheet];
    this.paint(color);
    this.box = this.make("div", root);
    this.box.hidden = true;
    this.hint = this.make("span", this.box);
    this.told = this.make("b", this.hint);
    this.told.setAttribute("role", "status");
    this.retry = this.make("button", this.hint);
    this.retry.textContent = words.again;
    this.retry.onclick = retry;
    this.opener = this.make("button", root);
    this.opener.ariaLabel = words.launcher;
    this.opener.ariaExpanded = "false";
    this.opener.append(this.icon(BUBBLE), this.icon(DOWN));
    this.opener.onclick = pressed;
    this.badge = this.make("i", this.opener);
    this.badge.ariaHidden = "true";
    this.badge.hidden = true;
    this.aloud = this.make("p", root);
    this.aloud.setAttribute("aria-live", "polite");
    this.presence = this.make("p", root);
    this.presence.id = "presence";
    this.opener.setAttribute("aria-describedby", "presence");
    this.shell.toggleAttribute("data-in", (this.opener.hidden = !!place));
    (place ?? doc.documentElement).append(this.shell); // beside the body, which single-page sites like to replace
  }

  paint(color: string): void {
    const brand = parseHex(color);
    if (!brand) return;
    this.shell.style.setProperty("--accent", color);
    this.shell.style.setProperty("--on", onColour(brand));
  }

  /** Whether somebody is online, as a dot and in words; null where that is not known. */
  attend(on: boolean | null): void {
    this.opener.toggleAttribute("data-here", on === true);
    this.presence.textContent = on === null ? "" : on ? words.here : words.away;
  }

  /** The frame is there but unseen until it has spoken; `loaded` is called at each load of its document. */
  bring(url: string, loaded: () => void): void {
    const frame = this.doc.createElement("iframe");
    frame.title = words.frame;
    frame.referrerPolicy = "strict-origin";
    frame.allow = "autoplay"; // a press on the page lets the chat in it sound
    // On our own origin (the demo) a sandbox with both of the first two holds nothing, and browsers say so.
    if (!url.startsWith(`${location.origin}/`)) frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox");
    frame.style.visibility = "hidden";
    frame.onload = loaded;
    frame.src = url;
    this.note(words.connecting);
    this.view = frame;
    this.box.append(frame);
  }

  /** The frame has spoken. From now on it offers the way out on a phone; until then the launcher does. */
  reveal(): void {
    if (!this.view || this.shell.hasAttribute("data-up")) return;
    this.view.style.visibility = "";
    this.shell.toggleAttribute("data-up", true);
    this.note("");
    this.enter();
  }

  note(text: string, again = false): void {
    this.told.textContent = text;
    this.retry.hidden = !again;
  }

  /** Takes the frame away; with `unreachable` the panel says so. */
  unload(unreachable: boolean): void {
    this.view?.remove();
    this.view = null;
    this.shell.removeAttribute("data-up");
    this.note(unreachable ? words.unreachable : "", unreachable);
  }

  /** A word of welcome beside the launcher, which opens the chat; told to who does not see it. */
  greet(text: string, close: string, pressed: () => void): void {
    this.bubble = this.make("section", this.shell.shadowRoot!);
    const words = this.make("button", this.bubble);
    words.dir = "auto";
    words.onclick = pressed;
    words.textContent = this.aloud.textContent = text;
    const away = this.make("button", this.bubble);
    away.textContent = "\xd7";
    away.ariaLabel = close;
    away.onclick = () => this.hush();
  }

  /** Puts the greeting away; the focus, which may have been in it, is at the launcher then. */
  hush(): void {
    if (!this.bubble) return;
    this.bubble.remove();
    this.bubble = null;
    this.opener.focus({ preventScroll: true });
  }

  unfold(on: boolean): void {
    this.hush();
    this.box.hidden = !on;
    this.opener.ariaExpanded = `${on}`;
    this.fit();
    if (on) this.enter();
    else this.opener.focus({ preventScroll: true });
  }

  /** A panel that is part of the page takes the focus from nothing else there. */
  private enter(): void {
    if (!this.box.hidden && !this.place) this.view?.focus();
  }

  appear(on: boolean): void {
    this.shell.toggleAttribute("data-off", !on);
  }

  /** `text` is the count in words. */
  tally(count: number, text: string): void {
    this.badge.hidden = !count;
    this.badge.textContent = count > 99 ? "99+" : `${count}`;
    this.aloud.textContent = text;
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
