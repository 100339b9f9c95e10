/** A short message about what was just done, which goes away by itself. */

import { signal } from '@preact/signals';

interface Notice {
  readonly text: string;
  readonly isError: boolean;
}

const SHOWN_MS = 6_000;

const notice = signal<Notice | undefined>(undefined);
let timer: ReturnType<typeof setTimeout> | undefined;

/** Tells what was done, or that it was not. */
export function tell(text: string, { isError = false }: { readonly isError?: boolean } = {}): void {
  notice.value = { text, isError };
  clearTimeout(timer);
  timer = setTimeout(() => {
    notice.value = undefined;
  }, SHOWN_MS);
}

/** Where messages appear; there from the beginning, so that screen readers read what comes. */
export function Notices() {
  const { text, isError } = notice.value ?? { text: '', isError: false };
  return (
    <div class="notices" role="status" aria-live="polite">
      {text !== '' && <p class={`notice ${isError ? 'is-error' : ''}`}>{text}</p>}
    </div>
  );
}
