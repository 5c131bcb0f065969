import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Toast } from "../design/toast.tsx";
import type { CannedReplyView } from "../wire/protocol.ts";
import type { Desk } from "./desk.ts";
import { refusal, say } from "./strings.ts";
import { useLive } from "./live.ts";
import { useModal } from "./modal.ts";

/** A reply on its way into the list; `uid` "" is a new one. */
type Draft = CannedReplyView;
type Faults = Partial<Record<"shortcut" | "text" | "form", string>>;
const SHORTCUT_MAX = 32; // as the server
const TEXT_MAX = 4000;
const NEW: Draft = { uid: "", shortcut: "", text: "" };

/** An operator's own prepared replies. Nothing that was typed goes without being asked about. */
export function Prepared({ desk, onClose }: { desk: Desk; onClose: () => void }) {
  const canned = useLive(desk.session.state).canned ?? [];
  const [draft, setDraft] = useState<Draft | null>(null);
  const [faults, setFaults] = useState<Faults>({});
  const [busy, setBusy] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const [said, tell] = useState<{ text: string; undo?: () => void } | null>(null);
  const dialog = useModal();
  const backTo = useRef(""); // what has the focus once the form is gone
  // before the next key is pressed: a moment later it may be pressed in a field that was chosen meanwhile
  useLayoutEffect(() => {
    const el = dialog.current;
    if (draft) el?.querySelector<HTMLElement>("input")?.focus();
    else if (backTo.current) (el?.querySelector<HTMLElement>(`[data-of="${backTo.current}"]`) ?? el?.querySelector<HTMLElement>(".prepared-new"))?.focus();
  }, [draft?.uid, draft === null]);
  useLayoutEffect(() => {
    if (Object.keys(faults).length) dialog.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
  }, [faults]);

  const before = canned.find((c) => c.uid === draft?.uid) ?? NEW;
  const dirty = draft !== null && (draft.shortcut !== before.shortcut || draft.text !== before.text);
  const edit = (one: Draft) => {
    backTo.current = one.uid || "new";
    setFaults({});
    tell(null);
    setDraft(one);
  };
  const put = (change: Partial<Draft>) => draft && setDraft({ ...draft, ...change });
  const stop = () => {
    setLeaving(false);
    setDraft(null);
  };
  const leave = () => (dirty ? setLeaving(true) : onClose());

  const save = async () => {
    if (!draft || busy) return;
    const shortcut = draft.shortcut.trim().replace(/^\//, "");
    const found = check(shortcut, draft.text);
    setFaults(found);
    if (Object.keys(found).length) return;
    setBusy(true);
    const why = await store(desk, { ...draft, shortcut });
    setBusy(false);
    setFaults(why);
    if (Object.keys(why).length) return;
    setLeaving(false);
    setDraft(null);
    tell({ text: say.prepared.saved(shortcut.toLowerCase()) });
  };
  const remove = async (one: CannedReplyView) => {
    const reply = await desk.session.questions.plainly({ type: "delete_canned_reply", canned: one.uid });
    if (reply?.type === "failed" && reply.code !== "not_found") return tell({ text: refusal(reply.code) });
    if (!reply) return tell({ text: say.refused.noConnection });
    const undo = async () => {
      const why = await store(desk, { ...one, uid: "" });
      tell({ text: Object.values(why)[0] ?? say.prepared.saved(one.shortcut) });
      dialog.current?.querySelector<HTMLElement>(".prepared-new")?.focus();
    };
    tell({ text: say.prepared.deleted(one.shortcut), undo: () => void undo() });
    dialog.current?.querySelector<HTMLElement>(".prepared-new")?.focus();
  };
  return (
    <dialog ref={dialog} class="dialog prepared" aria-label={say.prepared.title} onCancel={(e) => { e.preventDefault(); leave(); }}>
      <div class="prepared-head">
        <h2>{say.prepared.title}</h2>
        <IconButton icon="close" name={say.keys.close} small onClick={leave} />
      </div>
      {leaving && (
        <div class="banner banner-warn" role="alert">
          <span class="prepared-leaving">{say.prepared.notSaved}</span>
          <Button small onClick={() => { stop(); onClose(); }}>{say.prepared.discard}</Button>
          <Button small kind="primary" onClick={() => setLeaving(false)}>{say.prepared.keepEditing}</Button>
        </div>
      )}
      <div class="prepared-part">
        <p class="muted">{say.prepared.hint}</p>
        {draft ? (
          <form class="prepared-form" noValidate aria-label={draft.uid ? say.prepared.editNamed(before.shortcut) : say.prepared.newTitle} onSubmit={(e) => { e.preventDefault(); void save(); }}>
            <Field label={say.prepared.shortcut} value={draft.shortcut} onValue={(shortcut) => put({ shortcut })} required autocomplete="off" hint={say.prepared.shortcutHint} {...(faults.shortcut && { error: faults.shortcut })} />
            <Field label={say.prepared.text} kind="textarea" value={draft.text} onValue={(text) => put({ text })} required hint={say.prepared.fillsIn} {...(faults.text && { error: faults.text })} />
            {faults.form && <p class="field-error" role="alert">{faults.form}</p>}
            <div class="dialog-actions">
              <Button onClick={stop}>{say.prepared.cancel}</Button>
              <Button kind="primary" type="submit" busy={busy}>{say.prepared.save}</Button>
            </div>
          </form>
        ) : (
          <>
            {canned.length === 0 && <p>{say.prepared.none}</p>}
            <ul class="prepared-list" role="list">
              {canned.map((one) => (
                <li key={one.uid} class="prepared-row">
                  <div class="prepared-words">
                    <bdi class="reply-name">/{one.shortcut}</bdi>
                    <p class="prepared-text" dir="auto">{one.text}</p>
                  </div>
                  <IconButton icon="edit" name={say.prepared.editNamed(one.shortcut)} small data-of={one.uid} onClick={() => edit(one)} />
                  <IconButton icon="trash" name={say.prepared.removeNamed(one.shortcut)} small onClick={() => void remove(one)} />
                </li>
              ))}
            </ul>
            <Button class="prepared-new" onClick={() => edit(NEW)}>{say.prepared.newReply}</Button>
          </>
        )}
      </div>
      <div class="prepared-said" role="status">
        {said && <Toast text={said.text} closeLabel={say.app.closeMessage} onClose={() => tell(null)} {...(said.undo && { undo: { label: say.talk.undo, onUndo: said.undo } })} />}
      </div>
    </dialog>
  );
}

function check(shortcut: string, text: string): Faults {
  const faults: Faults = {};
  if (!shortcut) faults.shortcut = say.prepared.needsShortcut;
  else if (/[\s/{}\p{Cc}]/u.test(shortcut)) faults.shortcut = say.prepared.oneWord;
  else if ([...shortcut].length > SHORTCUT_MAX) faults.shortcut = say.prepared.atMost(SHORTCUT_MAX);
  if (!text.trim()) faults.text = say.prepared.needsText;
  else if ([...text].length > TEXT_MAX) faults.text = say.prepared.atMost(TEXT_MAX);
  return faults;
}

/** Nothing where it is stored, else what is wrong with it. */
async function store(desk: Desk, { uid, shortcut, text }: Draft): Promise<Faults> {
  const reply = await desk.session.questions.plainly({ type: "save_canned_reply", ...(uid && { canned: uid }), shortcut, text });
  if (!reply) return { form: say.refused.noConnection };
  if (reply.type !== "failed") return {};
  return reply.field === "shortcut" ? { shortcut: say.prepared.taken } : reply.field === "text" ? { text: refusal(reply.code) } : { form: refusal(reply.code) };
}
