/** Every component with each of its states, at `/styleguide/`: light and dark, from the left and from the right. */
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Switch } from "../design/switch.tsx";
import { Colours, Type } from "./gallery-basics.tsx";
import { Buttons, Fields, Menus, Switches, TabsShown } from "./gallery-controls.tsx";
import { Launchers } from "./gallery-launcher.tsx";
import { Banners, Bubbles, Cards, Dialogs, Empties, People, Progresses, Skeletons, Tables, Toasts } from "./gallery-shown.tsx";

function Gallery() {
  const [dark, setDark] = useState(matchMedia("(prefers-color-scheme: dark)").matches);
  const [rtl, setRtl] = useState(false);
  useEffect(() => {
    const root = document.documentElement;
    root.dataset["scheme"] = dark ? "dark" : "light";
    root.dir = rtl ? "rtl" : "ltr";
  }, [dark, rtl]);
  return (
    <>
      <header class="gallery-bar">
        <h1>Style guide</h1>
        <Switch label="Dark" on={dark} onSwitch={setDark} />
        <Switch label="Right to left" on={rtl} onSwitch={setRtl} />
      </header>
      <main class="gallery">
        <Colours />
        <Type />
        <Buttons />
        <Fields />
        <Switches />
        <Menus />
        <TabsShown />
        <Dialogs />
        <Toasts />
        <Banners />
        <People />
        <Launchers css={greeting} />
        <Bubbles />
        <Cards />
        <Tables />
        <Empties />
        <Skeletons />
        <Progresses />
      </main>
    </>
  );
}

const place = document.getElementById("gallery")!;
const greeting = place.dataset["greeting"] ?? "";
render(<Gallery />, place);
