/** What stands on the page of a customer: launcher, count and greeting, as the loader itself draws them. */
import { useEffect, useRef } from "preact/hooks";
import { Panel } from "../loader/panel.ts";
import { Section } from "./gallery-basics.tsx";

const NAVY = "#1b2a49";
const SHOWN: { name: string; color: string; lang?: string; draw: (panel: Panel) => void }[] = [
  { name: "somebody is there", color: "#0f5f5c", draw: (panel) => panel.attend(true) },
  { name: "nobody is there, with a count", color: "#ffcc00", draw: (panel) => panel.tally(3, "3 new messages") },
  { name: "with a greeting", color: NAVY, draw: (panel) => panel.greet("Hurt in a crash? Ask us, it costs nothing.", "Dismiss", () => undefined) },
  { name: "with a greeting from the right", color: NAVY, lang: "ar", draw: (panel) => panel.greet("هل أُصبت في حادث؟ اسألنا مجانًا.", "إغلاق", () => undefined) },
];

/** `css`: the rules that a site with a greeting has besides the loader's own (visitors/looks.py). */
export function Launchers({ css }: { css: string }) {
  return (
    <Section title="Launcher" wide>
      {SHOWN.map((each) => <Stage key={each.name} css={css} {...each} />)}
    </Section>
  );
}

/** A window of its own for what is fixed to the corner of one. */
function Stage({ name, css, color, lang = "en", draw }: (typeof SHOWN)[number] & { css: string }) {
  const stage = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const panel = new Panel(document, color, lang, css, null, () => undefined, () => undefined);
    stage.current!.append(panel.shell);
    draw(panel);
    return () => panel.shell.remove();
  }, []);
  return <div class="specimen"><span class="specimen-name">{name}</span><div class="stage" ref={stage} /></div>;
}
