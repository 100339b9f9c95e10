/** Asks before something is done that cannot be undone. */

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { refresh } from '../api/live.ts';
import { tell } from './notice.tsx';

/** A question, and what a yes does. */
export interface Question {
  readonly title: string;
  readonly body: ComponentChildren;
  /** What the button says: the thing itself, not `OK`. */
  readonly action: string;
  readonly isDanger?: boolean;
  /** Does it; answers what to tell about it. */
  readonly run: () => Promise<string>;
}

const question = signal<Question | undefined>(undefined);

/** Asks. */
export function confirm(asked: Question): void {
  question.value = asked;
}

/** Whether something is being asked; keys belong to the dialog then. */
export function isAsking(): boolean {
  return question.value !== undefined;
}

/** Where questions appear: a dialog of the browser's own, which keeps the focus and closes by Escape. */
export function ConfirmDialog() {
  const asked = question.value;
  const dialog = useRef<HTMLDialogElement>(null);
  const [isBusy, setBusy] = useState(false);
  const close = (): void => {
    question.value = undefined;
  };
  useEffect(() => {
    if (asked !== undefined) dialog.current?.showModal();
  }, [asked]);
  if (asked === undefined) return null;

  const act = async (): Promise<void> => {
    setBusy(true);
    try {
      tell(await asked.run());
    } catch (error) {
      tell(wordsOf(error), { isError: true });
    } finally {
      setBusy(false);
      close();
      refresh();
    }
  };
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="question" onClose={close}>
      <h2 id="question">{asked.title}</h2>
      <div class="dialog-body">{asked.body}</div>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={close} disabled={isBusy}>
          Back
        </button>
        <button
          type="button"
          class={`button ${asked.isDanger === true ? 'is-danger' : 'is-primary'}`}
          onClick={() => void act()}
          disabled={isBusy}
        >
          {isBusy ? 'Working…' : asked.action}
        </button>
      </div>
    </dialog>
  );
}

function wordsOf(error: unknown): string {
  const { message, next = '' } = error as { readonly message: string; readonly next?: string };
  return `${message} ${next}`.trim();
}
