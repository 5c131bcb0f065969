import { useLayoutEffect, useRef } from "preact/hooks";
import { IconButton } from "../design/button.tsx";
import type { ChatClient } from "./client.ts";
import { LONGEST_MESSAGE } from "./form.ts";
import { later } from "./parts.ts";
import { t } from "./strings.ts";
import { useValue } from "./value.ts";

const LONGEST = LONGEST_MESSAGE;
const WARN_FROM = 3600;

/** What may be sent of what was typed: no NUL (the server refuses it), nothing but blanks is nothing. */
export function sendable(text: string): string {
  return text.replaceAll("\0", "").trim();
}

/** The message box. Its text is kept in the tab until it is sent. */
export function Composer({ client }: { client: ChatClient }) {
  const text = useValue(client.draft);
  const area = useRef<HTMLTextAreaElement>(null);
  const over = [...sendable(text)].length - LONGEST;

  const send = () => {
    const body = sendable(text);
    if (body && over <= 0) client.send(body);
  };
  useLayoutEffect(() => {
    const el = area.current;
    if (!el) return;
    el.style.height = "auto";
    el.style.height = `${Math.min(el.scrollHeight, 140)}px`;
  }, [text]);
  return (
    <form class="composer" onSubmit={(e) => { e.preventDefault(); send(); }}>
      <div class="composer-box">
        <textarea
          ref={area} data-autofocus rows={1} dir={text ? "auto" : undefined} enterkeyhint="send" autocomplete="off"
          aria-label={t.message} placeholder={t.placeholder} value={text}
          aria-invalid={over > 0 ? "true" : undefined} aria-describedby="composer-count"
          onInput={(e) => {
            client.write(e.currentTarget.value);
            if (e.currentTarget.value.trim()) client.typing();
            else client.stopTyping();
          }}
          onBlur={() => client.stopTyping()}
          onKeyDown={(e) => {
            if (e.key !== "Enter" || e.shiftKey || e.keyCode === 229) return; // part of a word that an input method puts together (Safari says it in no other way)
            e.preventDefault();
            send();
          }}
        />
        <IconButton icon="smile" name={t.emoji} aria-haspopup="grid" onClick={(e) => later(e, (part, button) => part.emoji(button, area.current!))} />
        <IconButton icon="send" name={t.send} kind="primary" type="submit" disabled={!sendable(text) || over > 0} onMouseDown={(e: MouseEvent) => e.preventDefault()} />
      </div>
      <p id="composer-count" class={over > 0 ? "composer-count composer-over" : "composer-count"} aria-live="polite">
        {over > 0 ? t.tooLong(over) : over > WARN_FROM - LONGEST ? t.left(-over) : ""}
      </p>
    </form>
  );
}
