import { Button } from "../design/button.tsx";
import { Dialog } from "../design/parts.tsx";
import { isMac } from "./keys.ts";
import { say } from "./strings.ts";

/** All keys of the console, each as it is printed on this machine. */
export function KeyList({ onClose }: { onClose: () => void }) {
  const mac = isMac(navigator.platform);
  const anywhere: [string[], string][] = [
    [[mac ? "⌘" : say.keys.ctrl, "K"], say.keys.palette],
    [["?"], say.keys.list],
    [[mac ? "⌥" : say.keys.alt, "1 … 9"], say.keys.chats],
    [[say.keys.esc], say.keys.back],
  ];
  const inMessage: [string[], string][] = [
    [[say.keys.enter], say.keys.send],
    [[say.keys.shift, say.keys.enter], say.keys.line],
    [["↑"], say.keys.edit],
    [["/"], say.keys.reply],
    [["/", "/"], say.keys.slash],
  ];
  return (
    <Dialog title={say.keys.title} onClose={onClose} actions={<Button onClick={onClose}>{say.keys.close}</Button>}>
      <Part title={say.keys.anywhere} keys={anywhere} />
      <Part title={say.keys.writing} keys={inMessage} />
    </Dialog>
  );
}

function Part({ title, keys }: { title: string; keys: readonly [string[], string][] }) {
  return (
    <section class="keys">
      <h3>{title}</h3>
      <dl>
        {keys.map(([names, does]) => (
          <div class="keys-row" key={does}>
            <dt>{names.map((name, i) => <kbd key={i}>{name}</kbd>)}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
