import { useId } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Dialog } from "../design/parts.tsx";
import { Switch } from "../design/switch.tsx";
import type { Desk } from "./desk.ts";
import { chooseLanguage, LANGUAGES, languageChosen } from "./language.ts";
import { UNDO_CHOICES } from "./preferences.ts";
import { say } from "./strings.ts";

/** What an operator chooses for themselves: each holds at once. */
export function PreferencesDialog({ desk, onClose }: { desk: Desk; onClose: () => void }) {
  const { preferences, alarm } = desk;
  const t = say.settings;
  const loudness = useId();
  const permission = alarm.notices.permission.value;
  const allowed = permission === "granted";
  const notify = (on: boolean) => {
    preferences.notifyOfNews(on);
    if (on && !allowed) void alarm.notices.ask();
  };
  return (
    <Dialog title={t.title} onClose={onClose} actions={<>{desk.canned.value && <Button onClick={() => { onClose(); void desk.tools.open("replies"); }}>{say.prepared.title}</Button>}<Button kind="primary" onClick={onClose}>{t.done}</Button></>}>
      <div class="preferences">
        <p class="muted">{t.here}</p>
        <Switch label={t.sound} on={!preferences.muted.value} onSwitch={(on) => preferences.mute(!on)} />
        <div class="field preferences-volume">
          <label class="field-label" for={loudness}>{t.volume}</label>
          <input id={loudness} type="range" min={5} max={100} step={5} value={preferences.volume.value} disabled={preferences.muted.value} onInput={(e) => preferences.loudness(Number(e.currentTarget.value))} />
          <Button small disabled={preferences.muted.value} onClick={() => alarm.bell.ring("waits")}>{t.try}</Button>
        </div>
        {permission !== "none" && (
          <>
            <Switch label={t.notify} on={preferences.notify.value && allowed} onSwitch={notify} {...(!allowed && { hint: permission === "denied" ? say.alerts.denied : t.notifyOff })} />
            <Switch label={t.detail} on={preferences.detail.value} onSwitch={(on) => preferences.tellDetails(on)} hint={t.detailHint} />
          </>
        )}
        <Field
          kind="select" required label={t.undo} hint={t.undoHint} value={String(preferences.undo.value)} onValue={(n) => preferences.undoFor(Number(n))}
          options={UNDO_CHOICES.map((n) => ({ value: String(n), label: n ? t.seconds(n) : t.undoOff }))}
        />
        <Switch label={t.compact} hint={t.compactHint} on={preferences.compact.value} onSwitch={(on) => preferences.closeTogether(on)} />
        <Field
          kind="select" required label={t.language} value={languageChosen()} onValue={(lang) => chooseLanguage(lang)}
          options={[{ value: "", label: t.languageAuto }, ...LANGUAGES]}
        />
      </div>
    </Dialog>
  );
}
