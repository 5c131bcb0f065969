import { Button } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import { displayName } from "../design/names.ts";
import { Avatar } from "../design/parts.tsx";
import type { Desk } from "./desk.ts";
import { keyOf } from "./keys.ts";
import { Menu, MenuItem } from "../design/menu.tsx";
import { say } from "./strings.ts";

/** Where one is and who one is: the sections on top, the own status at the foot. */
export function Rail({ desk }: { desk: Desk }) {
  const n = desk.wanting.value;
  const me = desk.me.value;
  const name = displayName(me?.name ?? "");
  return (
    <header class="rail">
      <span class="rail-brand" aria-hidden="true" />
      <nav aria-label={say.app.main}>
        <a class="rail-link" href="/console/" aria-current="page" aria-label={say.app.chats} aria-describedby="rail-wanting" onClick={(e) => { e.preventDefault(); desk.column.value = "list"; }}>
          <span class="rail-icon"><Icon name="chat" />{n > 0 && <span class="rail-count tabular" aria-hidden="true">{n > 99 ? "99+" : n}</span>}</span>
          <span>{say.app.chats}</span>
          <span id="rail-wanting" hidden>{n > 0 && say.app.wanting(n)}</span>
        </a>
      </nav>
      <div class="rail-foot">
        {me && <Status desk={desk} />}
        {me && (
          <Menu name={say.app.menuOf(name)} kind="plain" class="rail-me" face={<Avatar name={name} small />}>
            {(close) => (
              <>
                <p class="menu-heading"><bdi>{name}</bdi><br />{displayName(desk.account.value?.name ?? "")}</p>
                <MenuItem onPick={() => { close(); void desk.tools.open("palette"); }}>{say.palette.title}<span class="menu-aside">{keyOf("K")}</span></MenuItem>
                <MenuItem onPick={() => { close(); void desk.tools.open("keys"); }}>{say.keys.title}<span class="menu-aside">?</span></MenuItem>
                {desk.canned.value && <MenuItem onPick={() => { close(); void desk.tools.open("replies"); }}>{say.prepared.title}</MenuItem>}
                <MenuItem onPick={() => { close(); desk.choosing.value = true; }}>{say.settings.title}</MenuItem>
                <MenuItem onPick={() => void desk.logOut()}>{say.app.logOut}</MenuItem>
              </>
            )}
          </Menu>
        )}
      </div>
    </header>
  );
}

/** Named by the present state; pressing it changes to the other. */
function Status({ desk }: { desk: Desk }) {
  const online = desk.me.value?.availability === "online";
  const hint = online ? say.app.onlineHint : say.app.awayHint;
  return (
    <Button class={`status ${online ? "status-on" : ""}`} small busy={desk.session.busy.value.has("status")} title={hint} onClick={() => void desk.session.setAvailability(!online)}>
      <span class="status-dot" aria-hidden="true" />
      {online ? say.app.online : say.app.away}
    </Button>
  );
}
