/** As much of a document as Preact draws into; a test that asks for more of it should run in a browser. */
import { options } from "preact";

export class Place {
  parentNode: Place | null = null;
  childNodes: Place[] = [];
  style = {};
  data = "";
  attributes = new Map<string, string>();
  private heard = new Map<string, (e: object) => void>();
  constructor(readonly localName: string, readonly nodeType: number) {}
  get ownerDocument() {
    return globalThis.document;
  }
  get firstChild(): Place | null {
    return this.childNodes[0] ?? null;
  }
  get nextSibling(): Place | null {
    const all = this.parentNode?.childNodes ?? [];
    return all[all.indexOf(this) + 1] ?? null;
  }
  insertBefore(child: Place, before: Place | null): Place {
    child.remove();
    this.childNodes.splice(before ? this.childNodes.indexOf(before) : this.childNodes.length, 0, child);
    child.parentNode = this;
    return child;
  }
  appendChild(child: Place): Place {
    return this.insertBefore(child, null);
  }
  removeChild(child: Place): void {
    child.remove();
  }
  remove(): void {
    const all = this.parentNode?.childNodes;
    all?.splice(all.indexOf(this), 1);
    this.parentNode = null;
  }
  contains(other: Place): boolean {
    return this === other || this.childNodes.some((each) => each.contains(other));
  }
  scrollIntoView(): void {}
  focus(): void {}
  setAttribute(name: string, value: unknown): void {
    this.attributes.set(name, String(value));
  }
  removeAttribute(name: string): void {
    this.attributes.delete(name);
  }
  addEventListener(type: string, hear: (e: object) => void): void {
    this.heard.set(type, hear);
  }
  removeEventListener(type: string): void {
    this.heard.delete(type);
  }
  /** As a pointer or a key does. */
  press(): void {
    this.heard.get("click")?.call(this, { type: "click", currentTarget: this, target: this });
  }
  /** The first of all in here, in the order of the document, that is such a one. */
  first(is: (place: Place) => boolean): Place | undefined {
    for (const each of this.childNodes) {
      const found = is(each) ? each : each.first(is);
      if (found) return found;
    }
    return undefined;
  }
  get textContent(): string {
    return this.data + this.childNodes.map((each) => each.textContent).join("");
  }
  set textContent(text: string) {
    this.childNodes = [];
    this.data = text;
  }
}

/** Makes `document`, and returns what a root element is made of. */
export function drawable(): Element {
  const made = (name: string) => new Place(name, 1);
  const document = { createElement: made, createElementNS: (_: string, name: string) => made(name), createTextNode: (data: string) => Object.assign(new Place("#text", 3), { data }), activeElement: null };
  Object.assign(globalThis, { document });
  return made("div") as unknown as Element;
}

/** How often each component, by its name, was drawn since the last `counts.clear()`. */
export function countDrawings(): Map<string, number> {
  const counts = new Map<string, number>();
  const hooks = options as { __r?: (vnode: { type: unknown }) => void };
  const before = hooks.__r;
  hooks.__r = (vnode) => {
    const { name } = vnode.type as { name: string };
    counts.set(name, (counts.get(name) ?? 0) + 1);
    before?.(vnode);
  };
  return counts;
}
