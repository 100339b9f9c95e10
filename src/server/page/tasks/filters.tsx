/** What the list is filtered by. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { shortRepo } from '../words/amount.ts';
import { STATE_WORDS, STATES } from '../words/state.ts';

interface FiltersProps {
  readonly query: Readonly<Record<'q' | 'state' | 'owner' | 'repo', string>>;
  readonly set: (change: Readonly<Record<string, string>>) => void;
}

/** Somebody who types is not interrupted by every letter. */
const TYPING_MS = 250;

/** The search field, the states, and what else is chosen by a click in the list. */
export function Filters({ query, set }: FiltersProps) {
  return (
    <div class="filters" role="search" aria-label="Tasks">
      <h1>Tasks</h1>
      <Search value={query.q} set={(q) => set({ q })} />
      <label class="select">
        <span class="unseen">State</span>
        <select value={query.state} onChange={({ currentTarget }) => set({ state: currentTarget.value })}>
          <option value="">All states</option>
          {STATES.map((state) => (
            <option key={state} value={state}>
              {STATE_WORDS[state]}
            </option>
          ))}
        </select>
      </label>
      {query.owner !== '' && <Chosen name="owner" value={query.owner} clear={() => set({ owner: '' })} />}
      {query.repo !== '' && <Chosen name="repository" value={shortRepo(query.repo)} clear={() => set({ repo: '' })} />}
    </div>
  );
}

function Search({ value, set }: { readonly value: string; readonly set: (value: string) => void }) {
  const [typed, type] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => type(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <label class="search">
      <span class="unseen">Search by title, branch, owner, spec or id</span>
      <Icon name="search" />
      <input
        type="search"
        value={typed}
        placeholder="Title, branch, owner, spec or id"
        autoComplete="off"
        spellcheck={false}
        onInput={({ currentTarget }) => {
          const text = currentTarget.value;
          type(text);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => set(text.trim()), TYPING_MS);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}

function Chosen({ name, value, clear }: { readonly name: string; readonly value: string; readonly clear: () => void }) {
  return (
    <span class="chosen">
      <span class="faint">{name}</span> {value}
      <button type="button" aria-label={`No longer by ${name}`} onClick={clear}>
        <Icon name="close" />
      </button>
    </span>
  );
}
