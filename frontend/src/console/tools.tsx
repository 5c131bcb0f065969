/**
 * What the console shows only when asked for: the palette, the list of keys, the prepared replies. A file of its own with
 * a Preact of its own, so it follows signals by `subscribe` (live.ts) and touches the page's only through `Desk`.
 */
import { render } from "preact";
import { know } from "../design/icons.tsx";
import { more } from "../design/more-icons.ts";
import type { Desk } from "./desk.ts";
import { KeyList } from "./key-list.tsx";
import { Palette } from "./palette.tsx";
import { Prepared } from "./prepared.tsx";
import type { Tool } from "./tools-loader.ts";

know(more);
let place: HTMLElement | undefined;

/** Shows one of them instead of what is shown; `typed` is what was typed meanwhile. Closed, the focus is where it was. */
export function open(tool: Tool, desk: Desk, typed: string): void {
  place ??= document.body.appendChild(document.createElement("div"));
  const close = () => render(null, place!);
  close();
  if (tool === "palette") render(<Palette desk={desk} typed={typed} onClose={close} />, place);
  else if (tool === "keys") render(<KeyList onClose={close} />, place);
  else render(<Prepared desk={desk} onClose={close} />, place);
}
