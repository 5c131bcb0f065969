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
  client.state.subscribe(({ site: facts }) => {
    if (!facts || facts.color === accent) return;
    accent = facts.color;
    applyAccent(accent, document.documentElement, matchMedia("(prefers-color-scheme: dark)"));
  });
  render(<App client={client} onMinimise={() => bridge.tell({ chatlead: 1, type: "close" })} />, root);
  client.start();
}
