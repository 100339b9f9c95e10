/** The views to choose from: in the header, and on a narrow screen at its lower edge. */

import { Icon, type IconName } from '../parts/icon.tsx';
import type { Route } from './route.ts';

const TABS: readonly {
  readonly view: Route['view'];
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
}[] = [
  { view: 'now', path: '/', name: 'Now', icon: 'now' },
  { view: 'timeline', path: '/timeline', name: 'Timeline', icon: 'timeline' },
  { view: 'hot', path: '/hot', name: 'Hot spots', icon: 'hot' },
  { view: 'tasks', path: '/tasks', name: 'Tasks', icon: 'tasks' },
  { view: 'limits', path: '/limits', name: 'Limits', icon: 'limits' },
];

/** Links to all views. */
export function Tabs({ view, place }: { readonly view: Route['view']; readonly place: 'header' | 'below' }) {
  return (
    <nav class={`tabs is-${place}`} aria-label={place === 'header' ? 'Views' : 'Views, below'}>
      {TABS.map((tab) => {
        const isHere = tab.view === view || (tab.view === 'tasks' && view === 'task');
        return (
          <a key={tab.view} href={tab.path} aria-current={isHere ? 'page' : undefined}>
            <Icon name={tab.icon} />
            <span>{tab.name}</span>
          </a>
        );
      })}
    </nav>
  );
}
