/** The chat's document starts here: `/widget/v1/frame?site=KEY` in a page, or `/chat/KEY/`, a page of its own. */
import { render } from "preact";
import { Box, clearBox } from "../wire/storage.ts";
import { App } from "./app.tsx";
import { Bridge, type Page } from "./bridge.ts";
import { ChatClient } from "./client.ts";
import { sound } from "./parts.ts";
import { isOpen } from "./state.ts";
import { applyAccent } from "./theme.ts";

const here = new URL(location.href).searchParams;
const root = document.getElementById("chat");
const site = root?.dataset["site"] ?? "";

if (root && site) void begin(root);

async function begin(root: HTMLElement): Promise<void> {
  const { hosted } = root.dataset; // the address of hosted.ts, on a page of its own
  const inline = !hosted && here.has("inline");
  const kept = `chatlead:${site}`;
  if (!hosted && here.has("fresh")) clearBox(() => sessionStorage, kept); // the page has logged its visitor out
  const box = new Box(() => sessionStorage, kept);
  const bridge: Page = hosted
    ? new ((await import(hosted)) as typeof import("./hosted.ts")).OwnPage(window, site)
    : new Bridge(window, (open) => inline || client.show(open));
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/v1/visitor`;
  const client = new ChatClient(site, box, bridge, window, url);
  let accent = "";
  const paint = (color: string) => {
    if (color === accent) return;
    accent = color;
    applyAccent(accent, document.documentElement, matchMedia("(prefers-color-scheme: dark)"));
  };
  paint(root.dataset["color"] ?? ""); // before the first word of the socket, so that nothing changes its colour
  let sounds = false;
  client.state.watch(() => {
    const { site: facts, chat } = client.state.value;
    if (facts) paint(facts.color);
    if (sounds || !isOpen(chat)) return;
    sounds = true;
    sound().then((part) => part.listen(site, client), () => (sounds = false));
  });
  const stays = hosted || inline; // there is nothing to put it away into
  render(<App client={client} onMinimise={stays ? null : () => bridge.tell({ chatlead: 1, type: "close" })} />, root);
  if (hosted) client.show(true);
  // a chat that stands below what is seen of its page is not being read
  if (inline) new IntersectionObserver((seen) => client.show(seen.at(-1)!.isIntersecting), { threshold: 0.3 }).observe(root);
  client.start();
}
