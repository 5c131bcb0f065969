/** The chat frame's document starts here: `/widget/v1/frame?site=KEY`. */
import { render } from "preact";
import { Box } from "../wire/storage.ts";
import { App } from "./app.tsx";
import { Bridge } from "./bridge.ts";
import { ChatClient } from "./client.ts";
import { applyAccent } from "./theme.ts";

const here = new URL(location.href).searchParams;
const root = document.getElementById("chat");
const site = root?.dataset["site"] ?? "";

if (root && site) {
  const box = new Box(() => sessionStorage, `chatlead:${site}`);
  if (here.has("fresh")) box.clear(); // the page has logged its visitor out
  const bridge = new Bridge(window, (open) => client.show(open));
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/v1/visitor`;
  const client = new ChatClient(site, box, bridge, window, url);
  let accent = "";
  const paint = (color: string) => {
    if (color === accent) return;
    accent = color;
    applyAccent(accent, document.documentElement, matchMedia("(prefers-color-scheme: dark)"));
  };
  paint(root.dataset["color"] ?? ""); // before the first word of the socket, so that nothing changes its colour
  client.state.watch(() => {
    const { site: facts } = client.state.value;
    if (facts) paint(facts.color);
  });
  render(<App client={client} onMinimise={() => bridge.tell({ chatlead: 1, type: "close" })} />, root);
  client.start();
}
