/** The header: the views, how full the fleet is, whether the page is live, and who looks. */

import { connection } from '../api/live.ts';
import type { Status } from '../api/shapes.ts';
import { Icon } from '../parts/icon.tsx';
import { CapMeter } from './cap-meter.tsx';
import { route } from './go.ts';
import { toggleHelp } from './help.tsx';
import { me } from './me.ts';
import { isAway } from './status.ts';
import { Tabs } from './tabs.tsx';
import { theme, toggleTheme } from './theme.ts';

const WORDS = { connecting: 'Connecting', live: 'Live', lost: 'Reconnecting' } as const;

/** The header. */
export function Header({ status }: { readonly status: Status | undefined }) {
  const shown = isAway.value ? 'lost' : connection.value;
  const other = theme.value === 'dark' ? 'light' : 'dark';
  return (
    <header class="header">
      <a class="brand" href="/" aria-label="Signalbox, now">
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" class="brand-mark">
          <path class="brand-post" d="M5 18V2.5" />
          <path class="brand-arm" d="M5 3h11l-2.2 3L16 9H5z" />
          <path class="brand-base" d="M10 16.5h7" />
        </svg>
        <span class="brand-name">Signalbox</span>
        {me.value !== undefined && me.value.queue !== 'default' && <span class="brand-queue">{me.value.queue}</span>}
      </a>
      <Tabs view={route.value.view} place="header" />
      <div class="header-end">
        {status !== undefined && <CapMeter status={status} />}
        <span class={`connection is-${shown}`} role="status">
          <span class="connection-dot" aria-hidden="true" />
          <span class="connection-word">{WORDS[shown]}</span>
        </span>
        {me.value?.role === 'read' && (
          <span class="read-only" title="Your token may look, and not change anything.">
            <Icon name="lock" />
            <span>Read only</span>
          </span>
        )}
        <button
          type="button"
          class="button is-icon is-quiet"
          aria-label={`Use the ${other} theme`}
          title={`Use the ${other} theme (d)`}
          onClick={toggleTheme}
        >
          <Icon name={other === 'dark' ? 'moon' : 'sun'} />
        </button>
        <button
          type="button"
          class="button is-icon is-quiet help-button"
          aria-label="Keys and help"
          title="Keys and help (?)"
          onClick={toggleHelp}
        >
          ?
        </button>
      </div>
    </header>
  );
}
