/** Keys of the page: single ones, and two in a row such as `g t`. */

import { useEffect, useRef } from 'preact/hooks';
import { isAsking } from '../parts/confirm.tsx';

/** What each key does. Two in a row are written with a space. */
export type Keys = Readonly<Record<string, () => void>>;

const PAIR_MS = 1_200;

/** Takes these keys while the component is there. Not while somebody types, or is being asked. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    let first = { key: '', at: 0 };
    const pressed = (event: KeyboardEvent): void => {
      if (isElsewhere(event)) return;
      const pair = Date.now() - first.at < PAIR_MS ? `${first.key} ${event.key}` : '';
      const act = latest.current[pair] ?? latest.current[event.key];
      first = { key: event.key, at: Date.now() };
      if (act === undefined) return;
      // Else the first key of a pair would be taken by one of its own, and the second one twice.
      first = { key: '', at: 0 };
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
}

function isElsewhere(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isAsking()) return true;
  if (document.querySelector('dialog[open]') !== null && event.key !== 'Escape') return true;
  const { target } = event;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable) return true;
  return (
    target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
  );
}
