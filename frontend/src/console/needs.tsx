import { useState } from "preact/hooks";
import { IconButton } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import type { Desk } from "./desk.ts";
import { lacking } from "./needs.ts";
import { say } from "./strings.ts";

/** A quiet line that names what this browser lacks. Work goes on beside it; once read, it is put away. */
export function Needs({ desk }: { desk: Desk }) {
  const polls = desk.session.link.value.polls;
  const needs = lacking(window, { polls, kept: desk.kept });
  const named = needs.map((n) => n.name).join();
  const [read, setRead] = useState(desk.needsRead);
  if (!needs.length || named === read) return null;
  const putAway = () => {
    desk.needsRead = named;
    setRead(named);
  };
  return (
    <div class="banner banner-warn">
      <Icon name="alert" />
      <span>
        {needs.map((n) => <span class="need" key={n.name}><strong>{say.needs.missing(n.name)}</strong>: {n.text} </span>)}
      </span>
      <IconButton icon="close" name={say.needs.understood} small onClick={putAway} />
    </div>
  );
}
