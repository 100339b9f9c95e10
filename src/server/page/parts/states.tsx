/** What a view shows when there is nothing yet, nothing at all, or no answer. */

import type { ComponentChildren } from 'preact';
import type { RequestError } from '../api/request.ts';
import type { Loaded } from '../api/use-load.ts';

/** Nothing to show, and what would bring something. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children !== undefined && <div class="empty-body">{children}</div>}
    </div>
  );
}

/** Bars in the place of what is being loaded. */
export function Loading({ rows = 4 }: { readonly rows?: number }) {
  return (
    <div class="loading" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} class={`loading-bar is-${i % 4}`} />
      ))}
    </div>
  );
}

/** What went wrong, what to do, and a way to try again. */
export function Failure({ error, reload }: { readonly error: RequestError; readonly reload: () => void }) {
  const isSignedOut = error.status === 401;
  return (
    <div class="failure" role="alert">
      <p class="failure-title">{error.message}</p>
      {error.next !== '' && <p>{error.next}</p>}
      <button type="button" class="button" onClick={isSignedOut ? () => location.reload() : reload}>
        {isSignedOut ? 'Sign in' : 'Try again'}
      </button>
    </div>
  );
}

/** A view of loaded data, or what there is instead. Data that is there stays when a later load fails. */
export function Show<T>({
  of,
  rows,
  children,
}: {
  readonly of: Loaded<T>;
  readonly rows?: number;
  readonly children: (data: T) => ComponentChildren;
}) {
  const { data, error, reload } = of;
  if (data !== undefined) {
    return (
      <>
        {error !== undefined && error.status !== 0 && <Failure error={error} reload={reload} />}
        {children(data)}
      </>
    );
  }
  return error === undefined ? <Loading rows={rows ?? 4} /> : <Failure error={error} reload={reload} />;
}

/** A part of a view, with its heading. */
export function Panel({
  title,
  count,
  aside,
  children,
  name = '',
}: {
  readonly title: string;
  readonly count?: number | undefined;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly name?: string;
}) {
  return (
    <section class={`panel ${name}`} aria-label={title}>
      <header class="panel-head">
        <h2>
          {title}
          {count !== undefined && <span class="count">{count}</span>}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
