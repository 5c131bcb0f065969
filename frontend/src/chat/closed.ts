/** In the place of the chat where nothing is collected any more: it speaks to the page so that it is shown, and can be put away. */
import { Bridge } from "./bridge.ts";

const bridge: Bridge = new Bridge(window, () => bridge.tell({ chatlead: 1, type: "chat", open: false }));
const close = () => bridge.tell({ chatlead: 1, type: "close" });

document.querySelector("button")?.addEventListener("click", close);
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") close();
});
