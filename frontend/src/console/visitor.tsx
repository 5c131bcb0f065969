import { IconButton } from "../design/button.tsx";
import { displayName, webAddress } from "../design/names.ts";
import { Avatar } from "../design/parts.tsx";
import type { Desk } from "./desk.ts";
import { EarlierChats } from "./earlier.tsx";
import { momentOf } from "./format.ts";
import { isLeftMessage, pagePath, visitorName } from "./words.ts";
import { say } from "./strings.ts";

/** What the server gives of the person in the open chat; nothing is guessed. */
export function Visitor({ desk }: { desk: Desk }) {
  const chat = desk.session.open.value;
  if (!chat) return null;
  const { visitor } = chat;
  const name = visitorName(visitor);
  const page = pagePath(chat.pageUrl);
  return (
    <section class="context" aria-label={say.visitor.title}>
      <div class="context-head">
        <h2>{say.visitor.title}</h2>
        <IconButton icon="close" name={say.visitor.close} small class="only-narrow" onClick={() => (desk.column.value = "chat")} />
      </div>
      <div class="context-person">
        <Avatar name={name} />
        <div>
          <p class="context-name"><bdi>{name}</bdi></p>
          <p class="muted">{visitor.name ? say.who.visitor(visitor.number) : say.visitor.noName}</p>
        </div>
      </div>
      <dl class="facts">
        {visitor.email && <Fact label={say.visitor.email}><bdi>{displayName(visitor.email)}</bdi></Fact>}
        {page && <Fact label={say.visitor.page}><a href={webAddress(chat.pageUrl) ?? "#"} target="_blank" rel="noopener noreferrer">{page}</a></Fact>}
        <Fact label={say.visitor.department}>{displayName(chat.department.name)}</Fact>
        <Fact label={say.visitor.started}><time dateTime={new Date(chat.startedAt).toISOString()}>{momentOf(chat.startedAt)}</time></Fact>
      </dl>
      {chat.answers.length > 0 && (
        <>
          <h3 class="context-sub">{isLeftMessage(chat) ? say.visitor.left : say.visitor.answers}</h3>
          <dl class="facts">
            {chat.answers.map((a) => <Fact key={a.name} label={displayName(a.label)}><span dir="auto" class="fact-text">{a.value}</span></Fact>)}
          </dl>
        </>
      )}
      <EarlierChats key={chat.uid} desk={desk} chat={chat.uid} />
    </section>
  );
}

function Fact({ label, children }: { label: string; children: preact.ComponentChildren }) {
  return <div class="fact"><dt>{label}</dt><dd>{children}</dd></div>;
}
