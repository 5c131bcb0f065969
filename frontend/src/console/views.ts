/**
 * Parts of the state, each for whoever needs no other. A screen that reads the state itself is drawn again at
 * every frame of every chat: hundreds of times a minute, when one of thirty chats would do.
 */
import { computed, type ReadonlySignal } from "@preact/signals";
import { wanting } from "./alerts.ts";
import { mine, type State, waiting } from "./state.ts";
import { steady } from "./steady.ts";

export function views(state: ReadonlySignal<State>) {
  const part = <T>(read: (state: State) => T) => computed(() => read(state.value));
  return {
    me: part((s) => s.me),
    account: part((s) => s.account),
    departments: part((s) => s.departments),
    team: part((s) => s.team),
    canned: part((s) => s.canned),
    missed: part((s) => s.missed),
    target: part((s) => s.target),
    awaySince: part((s) => s.awaySince),
    /** Uid of the chat on the screen. */
    shown: part((s) => s.open),
    waiting: steady(() => waiting(state.value)),
    mine: steady(() => mine(state.value)),
    /** How many things want the operator. */
    wanting: part(wanting),
  };
}
