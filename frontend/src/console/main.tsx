import { render } from "preact";
import { know } from "../design/icons.tsx";
import { more } from "../design/more-icons.ts";
import { App } from "./app.tsx";
import { desk } from "./desk.ts";
import { install } from "./installed.ts";

const element = document.getElementById("console");
if (element) {
  know(more);
  const d = desk(element);
  render(<App desk={d} />, element);
  d.session.start();
  void install();
}
