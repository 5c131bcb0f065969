import { render } from "preact";
import { App } from "./app.tsx";
import { desk } from "./desk.ts";

const element = document.getElementById("console");
if (element) {
  const d = desk(element);
  render(<App desk={d} />, element);
  d.session.start();
}
