/** The phases of the newest run as a bar, and their steps. */

import type { PhaseReport } from '../api/shapes.ts';
import { Panel } from '../parts/states.tsx';
import { now } from '../shell/clock.ts';
import { countWords } from '../words/amount.ts';
import { durationWords } from '../words/time.ts';
import { type LogLine, LogLines } from './log-lines.ts';
import { sharesOf } from './shares.ts';
import { Spans } from './spans.tsx';

/** Phases and steps; nothing before the first run. */
export function Phases({ phases }: { readonly phases: readonly PhaseReport[] }) {
  if (phases.length === 0) return null;
  const lengths = phases.map((phase) => lengthOf(phase));
  const shares = sharesOf(lengths);
  return (
    <Panel title="Phases">
      <ol class="phase-bar">
        {phases.map(({ name, state }, i) => (
          <li
            key={name}
            class={`is-${state}`}
            ref={(node) => {
              if (node !== null) node.style.flexGrow = String(shares[i] ?? 0);
            }}
          >
            <span class="phase-name">{name}</span>
            <span class="phase-time number">{state === 'skipped' ? 'skipped' : durationWords(lengths[i])}</span>
          </li>
        ))}
      </ol>
      <div class="steps">
        {phases
          .filter(({ steps }) => steps.length > 0)
          .map((phase) => (
            <StepGroup key={phase.name} phase={phase} />
          ))}
      </div>
    </Panel>
  );
}

function StepGroup({ phase: { name, steps } }: { readonly phase: PhaseReport }) {
  return (
    <div class="step-group">
      <h3>{name}</h3>
      <ul>
        {steps.map((step, i) => (
          <Step key={`${i} ${step.name}`} step={step} />
        ))}
      </ul>
    </div>
  );
}

function Step({ step: { name, exitCode, durationMs, outputTail } }: { readonly step: PhaseReport['steps'][number] }) {
  const hasFailed = exitCode !== 0;
  const mark = (
    <>
      <span class={`step-mark ${hasFailed ? 'is-failed' : 'is-ok'}`}>
        {exitCode === null ? 'stopped' : hasFailed ? `exit ${exitCode}` : 'ok'}
      </span>
      <code class="step-name ellipsis" title={name}>
        {name}
      </code>
      <span class="number faint">{durationWords(durationMs)}</span>
    </>
  );
  if (outputTail === '') return <li class="step">{mark}</li>;
  return (
    <li>
      <details open={hasFailed}>
        <summary class="step">{mark}</summary>
        <pre
          class="tail"
          tabIndex={0}
          aria-label={`The end of its output, ${countWords(outputTail.split('\n').length, 'line')}`}
        >
          {tailLines(outputTail).map(({ number, spans }) => (
            <div key={number}>
              <Spans spans={spans} />
            </div>
          ))}
        </pre>
      </details>
    </li>
  );
}

/** A tail is bounded where it was made. */
function tailLines(text: string): readonly LogLine[] {
  const lines = new LogLines(1_000);
  lines.add(text);
  return lines.all();
}

function lengthOf({ state, startedAt, durationMs }: PhaseReport): number {
  if (state === 'skipped') return 0;
  return durationMs ?? Math.max(0, now.value - Date.parse(startedAt));
}
