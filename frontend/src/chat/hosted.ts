/**
 * The chat as a page of its own (`/chat/KEY/`), a file that only this page loads: what the loader does on a customer's page, it does for itself.
 * Nobody embeds it, so there is nobody to talk to; it asks for its tickets itself.
 */
import { browserId } from "../loader/identity.ts";
import { type Page, type Parent, Refused, type ToLoader } from "./bridge.ts";

/** A line that needs seconds for each way is slow, not dead. */
const TICKET_MS = 20_000;

export class OwnPage implements Page {
  private title: string;

  constructor(private view: Window, private site: string) {
    this.title = view.document.title;
    for (const change of ["resize", "scroll"]) view.visualViewport?.addEventListener(change, () => this.fit());
  }

  /** Some browsers lay the keyboard over the page: the chat then fills what is left of it. */
  private fit(): void {
    const seen = this.view.visualViewport!;
    const covered = seen.scale === 1 && seen.height < this.view.innerHeight - 1;
    this.view.document.documentElement.style.height = covered ? `${seen.height}px` : "";
    if (covered && seen.offsetTop) this.view.scrollTo(0, 0);
  }

  /** As the loader asks for one. Rejects without, with `Refused` where asking again is no use. */
  async admission(): Promise<Parent & { ticket: string }> {
    const { location, document } = this.view;
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(), TICKET_MS);
    const body = JSON.stringify({ site: this.site });
    const answer = await fetch("/widget/v1/ticket", { method: "POST", body, credentials: "omit", signal: giveUp.signal });
    clearTimeout(timer);
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) throw new Refused("no chat here");
    if (!answer.ok) throw new Error("no ticket");
    const { ticket } = (await answer.json()) as { ticket: string };
    return { ticket, origin: location.origin, url: location.href, browser: browserId(document, this.site) };
  }

  /** Who looks at another tab sees in the title of this one that somebody has answered. */
  tell(message: ToLoader): void {
    if (message.type === "unread") this.view.document.title = message.count ? `(${message.count}) ${this.title}` : this.title;
  }
}
