/** Caps, quotas and capacities: seen, set, taken away. */

import { useState } from 'preact/hooks';
import { addressOf, getJson } from '../api/request.ts';
import type { Limits } from '../api/shapes.ts';
import { useLoad } from '../api/use-load.ts';
import { pauseOrResume, setLimit } from '../parts/act.ts';
import { Icon } from '../parts/icon.tsx';
import { Panel, Show } from '../parts/states.tsx';
import { mayWrite } from '../shell/me.ts';
import { status } from '../shell/status.ts';
import { limitProblem, limitWords } from './limit-words.ts';

/** The view at `/limits`. */
export function LimitsView() {
  const loaded = useLoad('limits', async (signal) => await getJson<{ limits: Limits }>(addressOf('/limits'), signal), {
    everyMs: 5_000,
  });
  const isPaused = status.value.data?.paused;
  return (
    <div class="view limits">
      <div class="toolbar">
        <h1>Limits</h1>
        {mayWrite.value && isPaused !== undefined && (
          <button type="button" class="button" onClick={() => pauseOrResume(isPaused)}>
            <Icon name={isPaused ? 'play' : 'pause'} />
            {isPaused ? 'Resume the queue' : 'Pause the queue'}
          </button>
        )}
      </div>
      {!mayWrite.value && <p class="hint">Your token may look at limits, and not change them.</p>}
      <Show of={loaded} rows={4}>
        {({ limits }) => (
          <Panel title="In force" count={Object.keys(limits).length}>
            <ul class="rows">
              {Object.entries(limits).map(([name, value]) => (
                <LimitRow key={name} name={name} value={value} />
              ))}
            </ul>
            {mayWrite.value && <NewLimit taken={Object.keys(limits)} />}
          </Panel>
        )}
      </Show>
    </div>
  );
}

function LimitRow({ name, value }: { readonly name: string; readonly value: number | null }) {
  const [typed, type] = useState('');
  const problem = typed === '' ? undefined : limitProblem(name, typed);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (typed === '' || problem !== undefined) return;
    setLimit(name, Number(typed));
    type('');
  };
  return (
    <li class="row limit-row">
      <div class="row-main">
        <code class="row-title">{name}</code>
        <span class="faint">{limitWords(name)}</span>
      </div>
      <span class="limit-value number">{value ?? 'none'}</span>
      {mayWrite.value && (
        <form class="limit-form" onSubmit={submit}>
          <input
            inputMode="numeric"
            aria-label={`New value of ${name}`}
            aria-invalid={problem !== undefined}
            title={problem}
            placeholder="new"
            value={typed}
            onInput={({ currentTarget }) => type(currentTarget.value.trim())}
          />
          <button type="submit" class="button" disabled={typed === '' || problem !== undefined}>
            Set
          </button>
          <button
            type="button"
            class="button is-icon is-quiet"
            aria-label={`Take away the limit ${name}`}
            title="Take it away"
            disabled={value === null}
            onClick={() => setLimit(name, null)}
          >
            <Icon name="close" />
          </button>
        </form>
      )}
      {problem !== undefined && <p class="limit-problem">{problem}</p>}
    </li>
  );
}

const KINDS = ['owner', 'spec', 'resource', 'weight'] as const;

function NewLimit({ taken }: { readonly taken: readonly string[] }) {
  const [kind, setKind] = useState<string>('owner');
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const full = `${kind}:${name}`;
  const problem = name === '' || value === '' ? '' : limitProblem(full, value);
  const isReady = problem === undefined;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (!isReady) return;
    setLimit(full, Number(value));
    setName('');
    setValue('');
  };
  return (
    <form class="new-limit" onSubmit={submit}>
      <span class="faint">New limit</span>
      <select value={kind} aria-label="Kind" onChange={({ currentTarget }) => setKind(currentTarget.value)}>
        {KINDS.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <input
        aria-label="Name"
        placeholder="name"
        value={name}
        onInput={({ currentTarget }) => setName(currentTarget.value.trim())}
      />
      <input
        aria-label="Value"
        placeholder="value"
        inputMode="numeric"
        value={value}
        onInput={({ currentTarget }) => setValue(currentTarget.value.trim())}
      />
      <button type="submit" class="button" disabled={!isReady}>
        {taken.includes(full) ? 'Change' : 'Add'}
      </button>
      {problem !== undefined && problem !== '' && <span class="limit-problem">{problem}</span>}
    </form>
  );
}
