/** Who works, and how fresh each lease is. */

import type { Status } from '../api/shapes.ts';
import { Empty, Panel } from '../parts/states.tsx';
import { durationWords } from '../words/time.ts';

/** A row for each worker. */
export function Workers({ status: { workers } }: { readonly status: Status }) {
  return (
    <Panel title="Workers" count={workers.length}>
      {workers.length === 0 ? (
        <Empty title="No worker is registered.">
          <p>
            Tasks wait until one is: <code>signalbox worker --concurrency 2</code>
          </p>
        </Empty>
      ) : (
        <ul class="rows is-small">
          {workers.map(({ id, name, host, pid, concurrency, running, leaseMs }) => (
            <li class="row" key={id}>
              <div class="row-main">
                <span class="row-title">{name}</span>
                <span class="faint ellipsis" title={`worker ${id}`}>
                  {host} · pid {pid}
                </span>
              </div>
              <div class="row-side">
                <Slots running={running} concurrency={concurrency} />
                <span class="faint" title="What is left of its lease; it is renewed at two thirds.">
                  lease {durationWords(leaseMs)}
                </span>
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

const MOST_DOTS = 8;

function Slots({ running, concurrency }: { readonly running: number; readonly concurrency: number }) {
  const words = `${running} of ${concurrency} slots in use`;
  if (concurrency > MOST_DOTS) {
    return (
      <span class="number" title={words}>
        {running}/{concurrency}
      </span>
    );
  }
  return (
    <span class="slots" role="img" aria-label={words} title={words}>
      {Array.from({ length: concurrency }, (_, i) => (
        <i key={i} class={i < running ? 'is-on' : ''} />
      ))}
    </span>
  );
}
