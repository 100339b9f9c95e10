/** Which files, branches and resources are the bottleneck. */

import { useSignal } from '@preact/signals';
import { addressOf, getJson } from '../api/request.ts';
import type { ClaimsView, HotView } from '../api/shapes.ts';
import { useLoad } from '../api/use-load.ts';
import { Empty, Show } from '../parts/states.tsx';
import { countWords } from '../words/amount.ts';
import { durationWords } from '../words/time.ts';
import { HeldTable } from './held-table.tsx';
import { HotTable } from './hot-table.tsx';
import type { Spot } from './tree.ts';
import { TreeMap } from './tree-map.tsx';

const MOST = 100;

/** The view at `/hot`. */
export function Hot() {
  const by = useSignal<'wait' | 'held'>('wait');
  const loaded = useLoad(
    'hot',
    async (signal) => {
      const [hot, claims] = await Promise.all([
        getJson<HotView>(addressOf('/hot', { limit: MOST }), signal),
        getJson<ClaimsView>(addressOf('/claims'), signal),
      ]);
      return { hot: hot.hot, held: claims.held };
    },
    // All kept tasks are counted for it: not at every change.
    { everyMs: 20_000, at: () => false },
  );
  return (
    <div class="view hot">
      <div class="toolbar" role="toolbar" aria-label="What is shown">
        <h1>Hot spots</h1>
        <div class="segmented" role="group" aria-label="By">
          <button type="button" aria-pressed={by.value === 'wait'} onClick={() => (by.value = 'wait')}>
            Waiting time
          </button>
          <button type="button" aria-pressed={by.value === 'held'} onClick={() => (by.value = 'held')}>
            Claims held
          </button>
        </div>
      </div>
      <Show of={loaded} rows={6}>
        {({ hot, held }) =>
          by.value === 'wait' ? (
            <Heat
              spots={hot
                .filter(({ waitMs }) => waitMs > 0)
                .map(({ repo, resource, waitMs }) => ({ repo, resource, amount: waitMs }))}
              words={durationWords}
              empty="No task has waited for anything yet."
            >
              <HotTable hot={hot} />
            </Heat>
          ) : (
            <Heat
              spots={held.map(({ repo, resource }) => ({ repo, resource, amount: 1 }))}
              words={(count) => countWords(count, 'claim')}
              empty="Nothing is held now."
            >
              <HeldTable held={held} />
            </Heat>
          )
        }
      </Show>
    </div>
  );
}

interface HeatProps {
  readonly spots: readonly Spot[];
  readonly words: (amount: number) => string;
  readonly empty: string;
  readonly children: preact.ComponentChildren;
}

function Heat({ spots, words, empty, children }: HeatProps) {
  if (spots.length === 0) {
    return (
      <Empty title={empty}>
        <p>What tasks claim, and wait for, appears here as a map of the repository: the larger, the more of it.</p>
      </Empty>
    );
  }
  return (
    <>
      <TreeMap spots={spots} words={words} />
      {children}
    </>
  );
}
