/** Small marks that every view shares: states, branches, tasks, resources, times. */

import { useComputed } from '@preact/signals';
import type { TaskState } from '../api/shapes.ts';
import { now } from '../shell/clock.ts';
import { taskPath } from '../shell/route.ts';
import { resourceParts, shortId } from '../words/amount.ts';
import { codeWords, STATE_WORDS } from '../words/state.ts';
import { agoWords, dateWords, durationWords } from '../words/time.ts';
import { tints } from '../words/tint.ts';

/** A task's state, and why it ended so. Told by its words and its shape, not by its colour alone. */
export function State({ state, code }: { readonly state: TaskState; readonly code?: string | null | undefined }) {
  const why = code === null || code === undefined || code === state ? '' : codeWords(code);
  return (
    <span class={`state is-${state}`}>
      <span class="state-dot" aria-hidden="true" />
      {STATE_WORDS[state]}
      {why !== '' && <span class="state-code">{why}</span>}
    </span>
  );
}

/** A branch in its colour. */
export function Branch({ name }: { readonly name: string }) {
  return (
    <span class={`branch tint-${tints.of(name)}`} title={`branch ${name}`}>
      <span class="branch-dot" aria-hidden="true" />
      <span class="ellipsis">{name}</span>
    </span>
  );
}

/** A link to a task: its title, or the end of its id where the title is not known. */
export function TaskLink({ id, title }: { readonly id: string; readonly title?: string | undefined }) {
  return (
    <a class={title === undefined ? 'task-id' : 'task-link'} href={taskPath(id)} title={id}>
      {title === undefined ? shortId(id) : title === '' ? 'untitled' : title}
    </a>
  );
}

/** What is claimed: its kind, small, and its name. */
export function Resource({ of }: { readonly of: string }) {
  const [kind, name] = resourceParts(of);
  return (
    <span class="resource" title={of}>
      <span class="resource-kind">{kind}</span>
      <code class="ellipsis">{name}</code>
    </span>
  );
}

/** How long ago; going on by itself. */
export function Ago({ at }: { readonly at: string | number }) {
  const time = new Date(at).getTime();
  const words = useComputed(() => agoWords(time, now.value));
  return (
    <time dateTime={new Date(time).toISOString()} title={dateWords(time)}>
      {words}
    </time>
  );
}

/** How long since; going on by itself, until `until` if that is known. */
export function Since({ at, until = null }: { readonly at: string; readonly until?: string | null }) {
  const from = new Date(at).getTime();
  // To whole seconds while it goes on: fractions that jump tell nothing.
  const ms = until === null ? Math.max(0, Math.floor((now.value - from) / 1_000) * 1_000) : Date.parse(until) - from;
  return <span class="number">{ms < 1_000 && until === null ? '0 s' : durationWords(ms).replace('.0 s', ' s')}</span>;
}
