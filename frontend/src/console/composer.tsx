import { useLayoutEffect, useRef } from "preact/hooks";
import type { Signal } from "@preact/signals";
import { Button } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import type { Desk } from "./desk.ts";
import type { Mode } from "./drafts.ts";
import type { Chat } from "./state.ts";
import { say } from "./strings.ts";

export const TEXT_MAX = 4000;
const WARN_AT = 3800;
const TALLEST_PX = 220;

/** `text` is the draft on the screen; it belongs to `chat` and `mode`. */
export function Composer({ desk, chat, mode, text, onMode }: { desk: Desk; chat: Chat; mode: Signal<Mode>; text: Signal<string>; onMode: (to: Mode) => void }) {
  const { session } = desk;
  const area = useRef<HTMLTextAreaElement>(null);
  const note = mode.value === "note";
  const length = [...text.value].length;
  const tooLong = length > TEXT_MAX;
  const ready = text.value.trim() !== "" && !tooLong;

  const shown = desk.column.value === "chat"; // a phone shows one column at a time
  useLayoutEffect(() => {
    if (shown) area.current?.focus({ preventScroll: true }); // before the next key is pressed
  }, [chat.uid, mode.value, shown]);
  useLayoutEffect(() => {
    const el = area.current;
    if (!el) return;
    el.style.height = "auto";
    el.style.height = `${Math.min(el.scrollHeight + 2, TALLEST_PX)}px`;
  }, [text.value, chat.uid, mode.value]);

  const typed = (value: string) => {
    text.value = value;
    session.drafts.set(chat.uid, mode.peek(), value);
    if (!note) session.typed(chat.uid, value);
  };
  const send = () => {
    if (!ready) return;
    const words = text.peek().trim();
    desk.atEnd.value = true;
    typed("");
    if (note) session.note(chat.uid, words);
    else session.say(chat.uid, words);
    area.current?.focus();
  };
  const key = (e: KeyboardEvent) => {
    if (e.key !== "Enter" || e.shiftKey || e.isComposing || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    send();
  };
  return (
    <form class={`composer ${note ? "composer-note" : ""}`} aria-label={note ? say.write.aNote : say.write.aReply} onSubmit={(e) => { e.preventDefault(); send(); }}>
      <div class="composer-tabs">
        {(["reply", "note"] as const).map((m) => (
          <button key={m} type="button" class="composer-tab" aria-pressed={mode.value === m} onClick={() => onMode(m)}>
            {m === "note" && <Icon name="note" />}{m === "note" ? say.write.note : say.write.reply}
            {m !== mode.value && session.drafts.get(chat.uid, m) && <span class="composer-begun" aria-hidden="true" />}
          </button>
        ))}
      </div>
      <textarea
        ref={area}
        class="composer-text"
        aria-label={say.write.message}
        aria-describedby="composer-hint"
        placeholder={note ? say.write.placeholderNote : say.write.placeholder}
        rows={2}
        dir="auto"
        value={text.value}
        enterkeyhint="send"
        onInput={(e) => typed(e.currentTarget.value)}
        onKeyDown={key}
        onBlur={() => session.quiet()}
      />
      <div class="composer-foot">
        <p id="composer-hint" class="composer-hint">
          {tooLong ? <span class="composer-over">{say.write.tooLong(length - TEXT_MAX)}</span>
            : length > WARN_AT ? say.write.left(TEXT_MAX - length)
            : note ? <strong>{say.write.onlyTeam}</strong>
            : desk.kept ? say.write.keys
            : say.write.notKept}
        </p>
        <Button kind="primary" type="submit" small disabled={!ready}><Icon name="send" />{say.write.send}</Button>
      </div>
    </form>
  );
}
