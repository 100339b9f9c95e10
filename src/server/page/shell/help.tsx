/** All keys, on `?`. */

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { me } from './me.ts';

const isOpen = signal(false);

const KEYS: readonly { readonly about: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    about: 'Everywhere',
    keys: [
      ['g n', 'now'],
      ['g t', 'timeline'],
      ['g h', 'hot spots'],
      ['g l', 'list of tasks'],
      ['g c', 'limits and caps'],
      ['/', 'search'],
      ['p', 'pause or resume the queue'],
      ['d', 'dark or light'],
      ['?', 'this help'],
    ],
  },
  {
    about: 'Lists',
    keys: [
      ['j  k', 'next, previous'],
      ['Enter', 'open'],
    ],
  },
  {
    about: 'Timeline',
    keys: [
      ['←  →', 'earlier, later'],
      ['+  -', 'nearer, farther'],
      ['l', 'live'],
    ],
  },
  {
    about: 'A task',
    keys: [
      ['1 – 4', 'log, diff, conflicts, history'],
      ['f', 'follow the log, or not'],
      ['c', 'cancel'],
      ['r', 'retry'],
    ],
  },
];

/** Opens or closes it. */
export function toggleHelp(): void {
  isOpen.value = !isOpen.value;
}

/** The dialog. */
export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen.value) dialog.current?.showModal();
  }, [isOpen.value]);
  if (!isOpen.value) return null;
  const close = (): void => {
    isOpen.value = false;
  };
  return (
    <dialog ref={dialog} class="dialog help" aria-labelledby="help-title" onClose={close}>
      <header class="help-head">
        <h2 id="help-title">Keys</h2>
        <button type="button" class="button is-icon is-quiet" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="help-groups">
        {KEYS.map(({ about, keys }) => (
          <section key={about}>
            <h3>{about}</h3>
            <dl>
              {keys.map(([key, what]) => (
                <div key={key}>
                  <dt>{key.split(' ').map((one) => (one === '' || one === '–' ? one : <kbd key={one}>{one}</kbd>))}</dt>
                  <dd>{what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="help-foot">
        {me.value !== undefined && `Signalbox ${me.value.version} · `}
        <a href="/queues">Bull Board</a> · <a href="/api/v1/openapi.json">HTTP API</a> · <a href="/metrics">metrics</a>
      </p>
    </dialog>
  );
}
