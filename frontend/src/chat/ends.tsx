/** Where a chat does not go on: it has ended, or there is none to be had here any more. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { ChatDrawing, EmptyState } from "../design/parts.tsx";
import { CLOSE_CODES, type SiteView, type VisitorChatView } from "../wire/protocol.ts";
import type { ChatClient } from "./client.ts";
import { later, survey } from "./parts.ts";
import { t } from "./strings.ts";
import { leftMessage, wasMissed } from "./thread.ts";
import { useValue } from "./value.ts";

/** The second of two quick taps on "End chat" lands here and does not take the conversation away. */
export function Over({ client, site, chat }: { client: ChatClient; site: SiteView; chat: VisitorChatView }) {
  const draft = useValue(client.draft);
  const unsent = useValue(client.unsent);
  const late = draft.trim() || unsent.some((i) => i.chat === chat.uid);
  const shown = useValue(client.shown);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // of the survey; a panel that is put away asks nobody
    if (shown && place.current) survey().then((part) => part.ask(place.current!, client), () => {});
  }, [shown]);
  const next = (e: MouseEvent) => {
    if (e.detail < 2) client.newChat();
  };
  return (
    <div class="ask">
      <p role={leftMessage(chat) ? "status" : undefined}>{leftMessage(chat) ? t.messageLeft : wasMissed(chat) ? t.missed : t.ended}</p>
      {chat.state === "closed" && <div ref={place} />}
      {late && <p class="muted">{t.lateKept}</p>}
      {chat.state === "closed" && <div><Button wide onClick={(e) => later(e, (part, button) => part.transcript(button, client))}>{t.sendTranscript}</Button></div>}
      <Button kind="primary" wide onClick={next} data-autofocus>{site.online.length ? t.newChat : leftMessage(chat) ? t.leaveAnother : t.awayTitle}</Button>
    </div>
  );
}

/**
 * Coming back by ourselves is useless; the visitor may know better. An old frame is loaded anew. What was not
 * sent stays in sight, to be copied.
 */
export function Stopped({ client, children }: { client: ChatClient; children?: ComponentChildren }) {
  const code = useValue(client.stoppedBy);
  const title = code === CLOSE_CODES.PROTOCOL_NOT_SPOKEN ? t.old : code === CLOSE_CODES.NOT_FOUND ? t.gone : t.unavailable;
  const again = <Button {...(children ? { wide: true } : { kind: "primary" as const })} onClick={() => (title === t.old ? location.reload() : client.again())}>{t.retry}</Button>;
  const text = useValue(client.draft);
  const unsent = text.trim() && (
    <label class="kept">
      <span>{t.notSentText}</span>
      <textarea class="input" readOnly rows={3} dir="auto" value={text} onFocus={(e) => e.currentTarget.select()} />
    </label>
  );
  if (children) {
    return (
      <>
        {children}
        <div class="ask" role="alert">
          <h2>{title}</h2>
          <p class="muted">{t.goneText}</p>
          {unsent}
          {again}
        </div>
      </>
    );
  }
  return (
    <div class="form">
      <EmptyState title={title} drawing={<ChatDrawing />}>
        {unsent}
        {again}
      </EmptyState>
    </div>
  );
}
