/** The tree map: ECharts, loaded when it is first shown. */

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Loading, Panel } from '../parts/states.tsx';
import { theme } from '../shell/theme.ts';
import type { HeatMap } from './heat-map.ts';
import { type Spot, treeOf } from './tree.ts';

interface TreeMapProps {
  readonly spots: readonly Spot[];
  readonly words: (amount: number) => string;
}

/** A map of these spots; the table below it says the same in words. */
export function TreeMap({ spots, words }: TreeMapProps) {
  const element = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<HeatMap>();
  const [chosen, choose] = useState<string>();
  const tree = useMemo(() => treeOf(spots), [spots]);
  const shownTheme = theme.value;
  useEffect(() => {
    let isGone = false;
    let made: HeatMap | undefined;
    void import('./heat-map.ts').then(({ HeatMap: Made }) => {
      if (isGone || element.current === null) return;
      made = new Made(element.current, choose);
      setMap(made);
    });
    return () => {
      isGone = true;
      made?.close();
    };
  }, []);
  useEffect(() => map?.draw(tree, words), [map, tree, shownTheme]);
  return (
    <Panel title="Map" aside={<p class="tree-map-chosen">{chosen ?? 'Click a folder to look into it.'}</p>}>
      <div
        class="tree-map"
        ref={element}
        role="img"
        aria-label="Tree map of the repository; the table below has the same numbers."
      />
      {map === undefined && <Loading rows={3} />}
    </Panel>
  );
}
