/** The gallery's other half: what is read, and what comes over a page for a moment. */
import { useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Icon } from "../design/icons.tsx";
import { Avatar, Badge, Banner, ChatDrawing, Dialog, EmptyState, Skeleton, TypingDots } from "../design/parts.tsx";
import { Progress } from "../design/progress.tsx";
import { Table } from "../design/table.tsx";
import { Toast } from "../design/toast.tsx";
import { Section, Specimen } from "./gallery-basics.tsx";

const PEOPLE = ["Olga", "Sam W.", "李小龙", "Jean-Luc de la Tour", "نور الهدى", "<b>x</b>"];
const PICTURE = "/static/img/demo-harbor-portrait.svg";

export function Dialogs() {
  const [open, setOpen] = useState(false);
  const words = <p class="muted">Dana reads that it has ended. The transcript stays.</p>;
  return (
    <Section title="Dialog" wide>
      <Specimen name="opened by a button; Escape closes, the focus comes back"><Button onClick={() => setOpen(true)}>End chat …</Button></Specimen>
      <Specimen name="as it looks">
        <div class="dialog" role="group" aria-label="A dialog">
          <h3>End the chat with Dana?</h3>
          {words}
          <div class="dialog-actions"><Button>Keep it open</Button><Button kind="danger">End chat</Button></div>
        </div>
      </Specimen>
      <Specimen name="busy, and after an error">
        <div class="dialog" role="group" aria-label="A dialog that is busy">
          <h3>End the chat with Dana?</h3>
          <p class="field-error" role="alert"><Icon name="alert" />No connection. It is tried again.</p>
          <div class="dialog-actions"><Button>Keep it open</Button><Button kind="danger" busy>End chat</Button></div>
        </div>
      </Specimen>
      {open && (
        <Dialog title="End the chat with Dana?" onClose={() => setOpen(false)} actions={<><Button onClick={() => setOpen(false)}>Keep it open</Button><Button kind="danger" onClick={() => setOpen(false)}>End chat</Button></>}>
          {words}
        </Dialog>
      )}
    </Section>
  );
}

export function Toasts() {
  const [shown, setShown] = useState<string | null>(null);
  return (
    <Section title="Toast" wide>
      <Specimen name="with a way back"><Toast text="The message was deleted." undo={{ label: "Undo", onUndo: () => undefined }} closeLabel="Close" onClose={() => undefined} /></Specimen>
      <Specimen name="without"><Toast text="Sam has taken this chat." closeLabel="Close" onClose={() => undefined} /></Specimen>
      <Specimen name="on the screen"><Button onClick={() => setShown("Saved: Intake.")}>Save</Button></Specimen>
      <div class="toasts" role="status">
        {shown && <Toast text={shown} undo={{ label: "Undo", onUndo: () => setShown(null) }} closeLabel="Close message" onClose={() => setShown(null)} />}
      </div>
    </Section>
  );
}

export function Banners() {
  return (
    <Section title="Banner" wide>
      <Specimen name="news"><Banner><span>Somebody is here now.</span> <Button small>Chat instead</Button></Banner></Specimen>
      <Specimen name="good"><Banner tone="good">The settings are saved.</Banner></Specimen>
      <Specimen name="warning"><Banner tone="warn">No connection. What you write is kept.</Banner></Specimen>
      <Specimen name="error"><Banner tone="bad">That did not work. Please try again.</Banner></Specimen>
    </Section>
  );
}

export function People() {
  return (
    <>
      <Section title="Avatar">
        {PEOPLE.map((name) => <Specimen key={name} name={name}><Avatar name={name} /></Specimen>)}
        <Specimen name="here"><Avatar name="Olga" online /></Specimen>
        <Specimen name="not here"><Avatar name="Olga" online={false} /></Specimen>
        <Specimen name="small"><Avatar name="Olga" small /></Specimen>
        <Specimen name="a picture"><span class="avatar"><img src={PICTURE} alt="" /></span></Specimen>
        <Specimen name="a picture, here"><span class="avatar avatar-dot avatar-dot-on"><img src={PICTURE} alt="" /></span></Specimen>
        <Specimen name="a small picture"><span class="avatar avatar-small"><img src={PICTURE} alt="" /></span></Specimen>
      </Section>
      <Section title="Badge">
        {(["", "accent", "good", "warn", "bad"] as const).map((tone) => <Specimen key={tone} name={tone || "plain"}><Badge tone={tone}>{tone ? 3 : 12}</Badge></Specimen>)}
        <Specimen name="words"><Badge tone="warn">Waiting</Badge></Specimen>
      </Section>
    </>
  );
}

export function Bubbles() {
  return (
    <Section title="Bubble" wide>
      <Specimen name="visitor"><p class="bubble">I was in a crash.{"\n"}What do I do now?</p></Specimen>
      <Specimen name="operator"><p class="bubble bubble-operator">Are you hurt? <a href="#bubble">What to do first</a></p></Specimen>
      <Specimen name="one's own"><p class="bubble bubble-own">No, but the other driver has gone.</p></Specimen>
      <Specimen name="a note"><p class="bubble bubble-note">Called in March about the same store.</p></Specimen>
      <Specimen name="deleted"><p class="bubble bubble-gone">Message deleted</p></Specimen>
      <Specimen name="not sent"><p class="bubble bubble-own bubble-failed">When did it happen?</p></Specimen>
      <Specimen name="from the right"><p class="bubble" dir="auto">مرحبا، أحتاج إلى محام</p></Specimen>
      <Specimen name="one long word"><p class="bubble">{"supercalifragilistic".repeat(5)}</p></Specimen>
      <Specimen name="a line of the system"><p class="system-line">Olga is here to help</p></Specimen>
      <Specimen name="somebody is typing"><p class="muted"><TypingDots /> Olga is typing …</p></Specimen>
    </Section>
  );
}

export function Cards() {
  return (
    <Section title="Card" wide>
      <div class="card"><h3>Kept</h3><p class="muted">A message is confirmed only once it is stored.</p></div>
      <div class="card" aria-busy="true"><Skeleton width="40%" height={20} /><p><Skeleton /></p></div>
    </Section>
  );
}

export function Tables() {
  const rows = [
    { uid: "a", name: "Dana O'Brien", department: "Intake", waited: "0:42", messages: 12 },
    { uid: "b", name: "李小龙", department: "Billing", waited: "1:05", messages: 3 },
    { uid: "c", name: "Visitor 1024", department: "Intake", waited: "0:08", messages: 128 },
  ];
  return (
    <Section title="Table" wide>
      <Table
        caption="Chats of today" rows={rows} keyOf={(row) => row.uid}
        columns={[
          { name: "Visitor", cell: (row) => <bdi>{row.name}</bdi> },
          { name: "Department", cell: (row) => row.department },
          { name: "Waited", cell: (row) => row.waited, isNumber: true },
          { name: "Messages", cell: (row) => row.messages, isNumber: true },
        ]}
      />
    </Section>
  );
}

export function Empties() {
  return (
    <Section title="Empty state" wide>
      <EmptyState title="Nobody is waiting" drawing={<ChatDrawing />}><p>A new chat rings here.</p><Button>See who is on the site</Button></EmptyState>
    </Section>
  );
}

export function Skeletons() {
  return (
    <Section title="Skeleton" wide>
      <div class="stack-tight"><Skeleton width="60%" height={24} /><Skeleton /><Skeleton width="85%" /></div>
    </Section>
  );
}

export function Progresses() {
  return (
    <Section title="Progress" wide>
      <Specimen name="40 of 100"><Progress label="Sending a file" value={0.4} /></Specimen>
      <Specimen name="done"><Progress label="Sent" value={1} /></Specimen>
      <Specimen name="nobody knows how long"><Progress label="Searching" value={null} /></Specimen>
      <Specimen name="failed"><Progress label="Not sent" value={0.7} failed /></Specimen>
    </Section>
  );
}
