import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../design/icons.tsx";
import { deedsOf } from "./deeds.ts";
import type { Desk } from "./desk.ts";
import { ranked } from "./fuzzy.ts";
import { composes, isBare, isLetter, isMac } from "./keys.ts";
import { say } from "./strings.ts";
import { useLive } from "./live.ts";
import { useModal } from "./modal.ts";

const SHOWN_MAX = 60;
const LIST_ID = "palette-list";

/** A combobox with its list always open: the focus stays in the field, arrows move the choice (ARIA APG). */
export function Palette({ desk, typed, onClose }: { desk: Desk; typed: string; onClose: () => void }) {
  const [query, setQuery] = useState(typed);
  const [chosen, choose] = useState(""); // by name: news may move what is listed
  useLive(desk.session.state);
  const dialog = useModal();
  const list = useRef<HTMLUListElement>(null);
  const found = ranked(deedsOf(desk), query, (d) => `${d.label} ${d.aside}`).slice(0, SHOWN_MAX);
  const at = Math.max(0, found.findIndex((d) => d.id === chosen));
  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [found[at]?.id]);

  const run = (index: number) => {
    const deed = found[index];
    if (!deed) return;
    onClose(); // first, so that what it does has the page to itself
    deed.run();
  };
  const key = (e: KeyboardEvent) => {
    if (composes(e)) return;
    const again = isLetter(e, "k") && !e.shiftKey && !e.altKey && (isMac(navigator.platform) ? e.metaKey : e.ctrlKey);
    if (again) onClose();
    else if (!isBare(e)) return;
    else if (e.key === "ArrowDown") choose(found[(at + 1) % found.length]?.id ?? "");
    else if (e.key === "ArrowUp") choose(found.at(at - 1)?.id ?? "");
    else if (e.key === "Enter") run(at);
    else return;
    e.preventDefault();
  };
  return (
    <dialog ref={dialog} class="palette" aria-label={say.palette.title} onCancel={(e) => { e.preventDefault(); onClose(); }} onPointerDown={(e) => e.target === e.currentTarget && onClose()}>
      <div class="palette-box">
        <div class="palette-field">
          <Icon name="search" />
          <input
            class="palette-input"
            role="combobox"
            aria-label={say.palette.field}
            aria-autocomplete="list"
            aria-expanded={found.length > 0}
            aria-controls={LIST_ID}
            aria-activedescendant={found[at] ? `palette-${at}` : undefined}
            placeholder={say.palette.hint}
            autocomplete="off"
            spellcheck={false}
            dir="auto"
            value={query}
            onInput={(e) => { setQuery(e.currentTarget.value); choose(""); }}
            onKeyDown={key}
          />
        </div>
        <ul class="palette-list" id={LIST_ID} role="listbox" aria-label={say.palette.list} ref={list} hidden={found.length === 0}>
          {found.map((deed, i) => (
            <li key={deed.id} id={`palette-${i}`} role="option" class="palette-deed" aria-selected={i === at} onPointerDown={(e) => e.preventDefault()} onPointerMove={() => choose(deed.id)} onClick={() => run(i)}>
              <bdi class="palette-label">{deed.label}</bdi>
              <span class="palette-aside" dir="auto">{deed.aside}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="palette-none">{say.palette.nothing}</p>}
        <p class="sr-only" role="status">{query && say.palette.found(found.length)}</p>
      </div>
    </dialog>
  );
}
