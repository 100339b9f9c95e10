/** A timeline for the terminal: one row a runner slot, one bar a run, so that one sees who ran beside whom. */

/** One run, with times in ms since the demo began. */
export interface Bar {
  /** The worker that ran it. */
  readonly worker: string;
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** A slot of a worker with its runs, which do not overlap. */
export interface Lane {
  readonly name: string;
  readonly bars: readonly Bar[];
}

/** Puts the runs of each worker on as few lanes as hold them. */
export function lanesOf(bars: readonly Bar[]): Lane[] {
  const lanes: { worker: string; bars: Bar[] }[] = [];
  for (const bar of [...bars].sort((a, b) => a.from - b.from)) {
    const free = lanes.find(({ worker, bars: taken }) => worker === bar.worker && (taken.at(-1)?.to ?? 0) <= bar.from);
    if (free === undefined) lanes.push({ worker: bar.worker, bars: [bar] });
    else free.bars.push(bar);
  }
  const workers = [...new Set(lanes.map(({ worker }) => worker))].sort();
  return workers.flatMap((worker) =>
    lanes
      .filter((lane) => lane.worker === worker)
      .map(({ bars: own }, i) => ({ name: `${worker}.${i + 1}`, bars: own })),
  );
}

/** The timeline as lines of at most `width` characters. */
export function renderTimeline(lanes: readonly Lane[], width: number): string[] {
  const margin = Math.max(0, ...lanes.map(({ name }) => name.length)) + 1;
  const columns = Math.max(10, width - margin);
  const end = Math.max(1, ...lanes.flatMap(({ bars }) => bars.map(({ to }) => to)));
  const column = (ms: number): number => Math.round((ms / end) * columns);
  const rows = lanes.map(({ name, bars }) => {
    const cells = Array.from({ length: columns }, () => '·');
    for (const bar of bars) {
      const from = Math.min(column(bar.from), columns - 1);
      const length = Math.max(1, column(bar.to) - from);
      for (const [i, character] of Array.from(drawBar(bar.name, length)).entries()) cells[from + i] = character;
    }
    return `${name.padEnd(margin)}${cells.slice(0, columns).join('')}`;
  });
  return [...rows, `${' '.repeat(margin)}${axis(columns, end)}`];
}

/** `▐name━━━━━`: the name as far as it fits, so that a bar beside another one begins visibly. */
function drawBar(name: string, length: number): string {
  const inside = Math.max(0, length - 1);
  return `▐${name.slice(0, inside).padEnd(inside, '━')}`;
}

function axis(columns: number, endMs: number): string {
  const end = `${(endMs / 1_000).toFixed(1)} s`;
  return `0 s${end.padStart(Math.max(0, columns - 3))}`;
}
