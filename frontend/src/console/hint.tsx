import { Button, IconButton } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import type { Desk } from "./desk.ts";
import { say } from "./strings.ts";

/** What keeps the operator from being called, with the one button that mends it. It goes when that is mended. */
export function Hint({ desk }: { desk: Desk }) {
  const { preferences, alarm } = desk;
  const { bell, notices } = alarm;
  const voice = preferences.muted.value ? "ready" : bell.voice.value;
  const permission = preferences.notify.value ? notices.permission.value : "granted";
  const silent = voice === "blocked";
  const unasked = permission === "default";
  const wrong = [silent && "silent", unasked && "unasked", voice === "refused" && "refused", permission === "denied" && "denied"].filter(Boolean);
  const hidden = preferences.putAway.value.split(" ");
  if (wrong.every((each) => hidden.includes(each as string))) return null;
  const t = say.alerts;
  const solve = () => {
    bell.allow(); // the press itself
    if (unasked) void notices.ask();
  };
  const text = silent && unasked ? t.both : silent ? t.silent : unasked ? t.unasked : voice === "refused" ? t.silentStill : t.denied;
  return (
    <div class="banner banner-warn">
      <Icon name="alert" />
      <span>{text}</span>
      {(silent || unasked) && <Button small onClick={solve}>{silent && unasked ? t.allowBoth : silent ? t.soundOn : t.allow}</Button>}
      <IconButton icon="close" name={t.notNow} small onClick={() => preferences.hide([...new Set([...hidden, ...wrong])].filter((each) => each && each !== "silent").join(" "))} />
    </div>
  );
}
