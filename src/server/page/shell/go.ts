/** The address bar: what it shows, and going elsewhere without loading the page anew. */

import { signal } from '@preact/signals';
import { type Route, routeOf } from './route.ts';

/** The view that the address bar names. */
export const route = signal<Route>(here());

/** Goes to an address of this page. `replace` leaves no step back, as for a filter that is typed. */
export function go(path: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  route.value = here();
  if (replace) return;
  window.scrollTo(0, 0);
  // For those who do not see that the view has changed.
  document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
}

/** Follows the browser's back and forward, and links within this page. */
export function followLinks(): void {
  window.addEventListener('popstate', () => {
    route.value = here();
  });
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (link === null || !isPlain || event.defaultPrevented || !isOurs(link)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

function isOurs(link: HTMLAnchorElement): boolean {
  if (link.origin !== location.origin || link.target !== '' || link.hasAttribute('download')) return false;
  return link.hash === '' && routeOf(link.pathname).view !== 'nowhere';
}

function here(): Route {
  return routeOf(location.pathname, location.search);
}
