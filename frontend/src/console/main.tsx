import { render } from "preact";
import { App } from "./app.tsx";
import { desk } from "./desk.ts";

const element = document.getElementById("console");
if (element) {
  if (typeof WebSocket === "undefined") {
    element.textContent = "This browser has no WebSocket, which the console needs to receive chats. Please use a current version of Firefox, Chrome, Edge or Safari.";
  } else {
    const d = desk(element);
    render(<App desk={d} />, element);
    d.session.start();
  }
}
