/** Who may write to a task's record, and why a write was refused: the other half of `refusal` in `state.lua`. */

import type { TaskState } from '../task/states.ts';

/**
 * Who writes: a run is refused once a newer run exists, a pick-up once a newer pick-up does; `any` may always. A run
 * names its runner too, since a Redis that was rolled back draws the same number for another one.
 */
export type Writer =
  | { readonly by: 'run'; readonly number: number; readonly runnerId: string }
  | { readonly by: 'pickup'; readonly number: number }
  | { readonly by: 'any' };

/** Why a write was refused. `illegal` carries the state the task is in. */
export type Refusal =
  | { readonly kind: 'missing' | 'ended' | 'superseded' }
  | { readonly kind: 'illegal'; readonly state: TaskState };

/** A writer as the scripts are told of it. */
export function guard(writer: Writer): [string, string] {
  if (writer.by === 'any') return [writer.by, ''];
  return [writer.by, writer.by === 'run' ? `${writer.number} ${writer.runnerId}` : String(writer.number)];
}

/** What a script answered instead of writing. */
export function readRefusal(answer: string): Refusal {
  const [kind, state] = answer.split(' ');
  if (kind === 'illegal') return { kind, state: state as TaskState };
  return { kind: kind === 'ended' || kind === 'superseded' ? kind : 'missing' };
}
