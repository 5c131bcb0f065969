import { useLayoutEffect, useRef } from "preact/hooks";
import type { Signal } from "@preact/signals";
import { Button } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import type { Desk } from "./desk.ts";
import type { Mode } from "./drafts.ts";
import { composes, isBare } from "./keys.ts";
import { optionId, Replies, REPLIES_ID, useReplies } from "./replies.tsx";
import type { Chat } from "./state.ts";
import { say } from "./strings.ts";

export const TEXT_MAX = 4000;
const WARN_AT = 3800;
const TALLEST_PX = 220;

interface Props {
  desk: Desk;
  chat: Chat;
  mode: Signal<Mode>;
  /** The draft on the screen; it belongs to `chat` and `mode`. */
  text: Signal<string>;
  onMode: (to: Mode) => void;
  /** Begins to reword the last own message, if there is one, and ends it: with "" it is to be deleted. */
  onReword: () => boolean;
  onReworded: (text: string) => void;
}

export function Composer({ desk, chat, mode, text, onMode, onReword, onReworded }: Props) {
  const { session } = desk;
  const area = useRef<HTMLTextAreaElement>(null);
  const rewording = session.drafts.rewordings.value.get(chat.uid);
  const note = mode.value === "note" && !rewording;
  const value = rewording ? rewording.text : text.value;
  const length = [...value].length;
  const tooLong = length > TEXT_MAX;
  const ready = (value.trim() !== "" || rewording !== undefined) && !tooLong;

  const shown = desk.column.value === "chat"; // a phone shows one column at a time
  useLayoutEffect(() => {
    if (shown) area.current?.focus({ preventScroll: true }); // before the next key is pressed
  }, [chat.uid, mode.value, shown, rewording?.target]);
  useLayoutEffect(() => {
    const el = area.current;
    if (el && rewording) el.setSelectionRange(el.value.length, el.value.length);
  }, [rewording?.target]);
  useLayoutEffect(() => {
    const el = area.current;
    if (!el) return;
    el.style.height = "auto";
    el.style.height = `${Math.min(el.scrollHeight + 2, TALLEST_PX)}px`;
  }, [value, chat.uid, mode.value]);

  const typed = (to: string) => {
    if (rewording) session.drafts.reword(chat.uid, { ...rewording, text: to });
    else {
      text.value = to;
      session.drafts.set(chat.uid, mode.peek(), to);
    }
    if (!note) session.typed(chat.uid, to);
  };
  /** Where the caret belongs is known at once, but the new text is in the box only after it was drawn. */
  const write = (to: string, caret: number) => {
    const el = area.current;
    if (el) {
      el.value = to;
      el.setSelectionRange(caret, caret);
    }
    typed(to);
  };
  const asked = useReplies(desk, chat, write, area);
  useLayoutEffect(() => {
    const pen = {
      focus: () => area.current?.focus(),
      insert: (words: string) => {
        const el = area.current;
        if (!el) return;
        el.focus();
        write(el.value.slice(0, el.selectionStart) + words + el.value.slice(el.selectionEnd), el.selectionStart + words.length);
      },
    };
    desk.pen = pen;
    return () => {
      if (desk.pen === pen) desk.pen = null;
    };
  });

  const send = () => {
    if (!ready) return;
    asked.close();
    const words = value.trim();
    if (rewording) return onReworded(words);
    desk.atEnd.value = true;
    typed("");
    if (note) session.note(chat.uid, words);
    else session.say(chat.uid, words);
    area.current?.focus();
  };
  const key = (e: KeyboardEvent) => {
    if (composes(e) || asked.key(e) || !isBare(e) || e.shiftKey) return;
    if (e.key === "Enter") send();
    else if (e.key === "ArrowUp" && !value && !note && !rewording) {
      if (!onReword()) return;
    } else if (e.key === "Escape" && rewording) {
      session.drafts.reword(chat.uid, null);
      e.stopPropagation(); // the chat stays open
    } else return;
    e.preventDefault();
  };
  const open = asked.choices.length > 0;
  return (
    <form class={`composer ${note ? "composer-note" : ""}`} aria-label={rewording ? say.corrections.last : note ? say.write.aNote : say.write.aReply} onSubmit={(e) => { e.preventDefault(); send(); }}>
      <Replies asked={asked} />
      <p class="sr-only" role="status">{rewording && say.corrections.editing}</p>
      {rewording ? (
        <div class="composer-tabs composer-rewording">
          <Icon name="edit" /><span>{say.corrections.editing}</span>
          <Button kind="plain" small onClick={() => session.drafts.reword(chat.uid, null)}>{say.prepared.cancel}</Button>
        </div>
      ) : (
        <div class="composer-tabs">
          {(["reply", "note"] as const).map((m) => (
            <button key={m} type="button" class="composer-tab" aria-pressed={mode.value === m} onClick={() => onMode(m)}>
              {m === "note" && <Icon name="note" />}{m === "note" ? say.write.note : say.write.reply}
              {m !== mode.value && session.drafts.get(chat.uid, m) && <span class="composer-begun" aria-hidden="true" />}
            </button>
          ))}
        </div>
      )}
      <textarea
        ref={area}
        class="composer-text"
        aria-label={say.write.message}
        aria-describedby="composer-hint"
        aria-autocomplete={open ? "list" : undefined}
        aria-controls={open ? REPLIES_ID : undefined}
        aria-activedescendant={open ? optionId(asked.at) : undefined}
        placeholder={note ? say.write.placeholderNote : say.write.placeholder}
        rows={2}
        dir="auto"
        value={value}
        enterkeyhint="send"
        onInput={(e) => {
          typed(e.currentTarget.value);
          if (!e.isComposing) asked.typed(e.currentTarget);
        }}
        onKeyDown={key}
        onKeyUp={(e) => asked.look(e.currentTarget)}
        onClick={(e) => asked.look(e.currentTarget)}
        onBlur={() => {
          session.quiet();
          asked.close();
        }}
      />
      <div class="composer-foot">
        <p id="composer-hint" class="composer-hint">
          {tooLong ? <span class="composer-over">{say.write.tooLong(length - TEXT_MAX)}</span>
            : length > WARN_AT ? say.write.left(TEXT_MAX - length)
            : rewording ? say.corrections.editHint
            : note ? <strong>{say.write.onlyTeam}</strong>
            : desk.kept ? desk.canned.value ? say.prepared.writeHint : say.write.keys
            : say.write.notKept}
        </p>
        <Button kind="primary" type="submit" small busy={session.busy.value.has(`correction ${chat.uid}`)} disabled={!ready}>
          {rewording ? say.prepared.save : <><Icon name="send" />{say.write.send}</>}
        </Button>
      </div>
    </form>
  );
}
