/** The gallery's controls: what is pressed, filled in and chosen. */
import { useState } from "preact/hooks";
import { Button, IconButton } from "../design/button.tsx";
import { Field, type FieldProps } from "../design/field.tsx";
import { Icon } from "../design/icons.tsx";
import { Menu, MenuItem } from "../design/menu.tsx";
import { Switch } from "../design/switch.tsx";
import { Tabs } from "../design/tabs.tsx";
import { FORCED, Section, Specimen } from "./gallery-basics.tsx";

const KINDS = [["primary", "Accept"], ["quiet", "Transfer"], ["plain", "Note"], ["danger", "End chat"]] as const;
const OPTIONS = ["Intake", "Billing"].map((label) => ({ value: label, label }));

export function Buttons() {
  return (
    <>
      {KINDS.map(([kind, label]) => (
        <Section key={kind} title={`Button, ${kind}`}>
          {FORCED.map(([state, forced]) => <Specimen key={state} name={state}><Button kind={kind} class={forced}>{label}</Button></Specimen>)}
          <Specimen name="disabled"><Button kind={kind} disabled>{label}</Button></Specimen>
          <Specimen name="busy"><Button kind={kind} busy>{label}</Button></Specimen>
          <Specimen name="small"><Button kind={kind} small>{label}</Button></Specimen>
          <Specimen name="with a picture"><Button kind={kind}><Icon name="check" />{label}</Button></Specimen>
        </Section>
      ))}
      <Section title="Button that failed" wide>
        <Specimen name="error: it says so beside the button, and can be pressed again">
          <div class="stack-tight">
            <p class="field-error" role="alert"><Icon name="alert" />Not sent: no connection. Nothing was lost.</p>
            <div><Button kind="primary">Try again</Button></div>
          </div>
        </Specimen>
      </Section>
      <Section title="Icon button">
        {FORCED.map(([state, forced]) => <Specimen key={state} name={state}><IconButton icon="search" name={`Search, ${state}`} class={forced} /></Specimen>)}
        <Specimen name="disabled"><IconButton icon="send" name="Send, disabled" kind="primary" disabled /></Specimen>
        <Specimen name="primary"><IconButton icon="send" name="Send" kind="primary" /></Specimen>
        <Specimen name="small"><IconButton icon="close" name="Close" small /></Specimen>
      </Section>
    </>
  );
}

/** A field that keeps what is written into it. */
function Live(props: Omit<FieldProps, "onValue">) {
  const [value, setValue] = useState(props.value);
  return <Field {...props} value={value} onValue={setValue} />;
}

function FieldStates({ kind, label, value }: { kind: NonNullable<FieldProps["kind"]>; label: string; value: string }) {
  const base = { kind, label, value, options: OPTIONS };
  return (
    <>
      <Specimen name="required"><Live {...base} required /></Specimen>
      <Specimen name="optional, with a hint"><Live {...base} hint="So that we can answer you later." /></Specimen>
      <Specimen name="hover"><div class="forced-hover"><Live {...base} required /></div></Specimen>
      <Specimen name="focus"><div class="forced-focus"><Live {...base} required /></div></Specimen>
      <Specimen name="error"><Live {...base} required error={`Please look at this again: ${label}`} /></Specimen>
      <Specimen name="disabled"><fieldset disabled><Live {...base} required /></fieldset></Specimen>
      <Specimen name="busy"><fieldset disabled aria-busy="true"><Live {...base} required hint="Being checked …" /></fieldset></Specimen>
    </>
  );
}

export function Fields() {
  return (
    <>
      <Section title="Field" wide><FieldStates kind="text" label="Name" value="Dana O'Brien" /></Section>
      <Section title="Field of several lines" wide><FieldStates kind="textarea" label="Message" value="I slipped in a supermarket last week." /></Section>
      <Section title="Select" wide><FieldStates kind="select" label="Department" value="Intake" /></Section>
      <Section title="Checkbox" wide><FieldStates kind="checkbox" label="Send me a copy of this chat" value="yes" /></Section>
    </>
  );
}

export function Switches() {
  const [on, setOn] = useState(true);
  const shared = { label: "Sound", on, onSwitch: setOn };
  return (
    <Section title="Switch">
      {FORCED.map(([state, forced]) => <Specimen key={state} name={state}><Switch {...shared} class={forced} /></Specimen>)}
      <Specimen name="off"><Switch label="Sound" on={!on} onSwitch={() => setOn(!on)} /></Specimen>
      <Specimen name="disabled"><Switch {...shared} disabled /></Specimen>
      <Specimen name="busy"><Switch {...shared} busy /></Specimen>
      <Specimen name="with a hint"><Switch {...shared} hint="Until somebody answers." /></Specimen>
      <Specimen name="error"><Switch {...shared} error="The browser allows no sound yet." /></Specimen>
    </Section>
  );
}

export function Menus() {
  const [picked, setPicked] = useState("nothing yet");
  return (
    <Section title="Menu" wide>
      <Specimen name={`closed; picked: ${picked}`}>
        <Menu name="Transfer to">
          {(close) => ["Intake", "Billing"].map((name) => <MenuItem key={name} onPick={() => { setPicked(name); close(); }}>{name}</MenuItem>)}
        </Menu>
      </Specimen>
      <Specimen name="busy"><Menu name="Transferring" busy>{() => null}</Menu></Specimen>
      <Specimen name="open, with each state">
        <div class="menu" role="menu" aria-label="States of an item">
          <p class="menu-heading" role="presentation">Departments</p>
          {FORCED.map(([state, forced]) => <button key={state} type="button" class={`menu-item ${forced}`} role="menuitem">Intake, {state}</button>)}
          <button type="button" class="menu-item" role="menuitem" disabled>Billing, disabled: nobody is there</button>
        </div>
      </Specimen>
    </Section>
  );
}

export function TabsShown() {
  const [chosen, setChosen] = useState("open");
  const tabs = [
    { name: "open", label: "Open" }, { name: "missed", label: "Missed" }, { name: "closed", label: "Closed" },
    { name: "archive", label: "Archive", disabled: true },
  ];
  return (
    <Section title="Tabs" wide>
      <Specimen name="the arrows choose; one is disabled">
        <Tabs label="Chats" tabs={tabs} chosen={chosen} onChoose={setChosen}>What is {chosen} stands here.</Tabs>
      </Specimen>
      <Specimen name="states of a tab">
        <div class="tabs" role="tablist" aria-label="States of a tab">
          {FORCED.map(([state, forced], i) => <button key={state} type="button" class={`tab ${forced}`} role="tab" aria-selected={i === 0} tabIndex={i ? -1 : 0}>{state}</button>)}
        </div>
      </Specimen>
    </Section>
  );
}
