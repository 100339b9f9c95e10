import { describe, expect, it } from 'vitest';
import { renderPage } from '../../../scripts/bench/page.ts';
import { type Answer, atMost } from '../../../scripts/bench/question.ts';
import { type BenchReport, isSound, renderJson, renderText } from '../../../scripts/bench/report.ts';

const answer: Answer = {
  figures: { speed: [1, 2] },
  tables: [{ title: 'How fast', head: ['system', 'speed'], rows: [['<ours>', 12]], notes: ['Measured twice.'] }],
  plots: [
    {
      title: 'Speed & size',
      kind: 'line',
      x: { name: 'size', scale: 'log' },
      y: { name: 'speed', scale: 'linear' },
      goal: 1.5,
      series: [
        {
          name: 'ours',
          points: [
            [1, 2],
            [10, 3],
          ],
        },
      ],
    },
  ],
  targets: [atMost(1, 'ours', { value: 2, unit: 's' }), atMost(3, 'theirs', { value: 2 })],
  faults: { overlaps: [], deadManFired: 0 },
};

function reportOf(one: Answer): BenchReport {
  const setting = { machine: '2 × CPU', versions: { node: '20.0.0' }, seed: 7, load: 0.5 };
  return { setting, asked: [{ question: { name: 'speed', asks: 'How fast is it?' }, answer: one, tookMs: 1_200 }] };
}

describe('the report', () => {
  it('says where and how it was measured, what was asked, and what came of it', () => {
    const text = renderText(reportOf(answer));
    for (const part of [
      '2 × CPU; node 20.0.0',
      'seed 7',
      'speed: How fast is it? (1 s)',
      'How fast\n',
      '<ours>',
      'Measured twice.',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('ends with all targets, met or missed', () => {
    const [, targets = ''] = renderText(reportOf(answer)).split('\nTargets\n');
    expect(targets).toMatch(/ours +│ ≤ 1 s +│ 2\.00 s +│ missed/);
    expect(targets).toMatch(/theirs +│ ≤ 3 +│ 2\.00 +│ met/);
  });

  it('has the figures as JSON, by question', () => {
    expect(JSON.parse(renderJson(reportOf(answer)))).toMatchObject({
      setting: { seed: 7 },
      questions: { speed: { figures: { speed: [1, 2] }, tookMs: 1_200, overlaps: [], deadManFired: 0 } },
    });
  });

  it('is sound unless two overlapped or nobody woke a waiter, however slow it was', () => {
    expect(isSound(reportOf(answer))).toBe(true);
    expect(isSound(reportOf({ ...answer, faults: { overlaps: ['a and b'], deadManFired: 0 } }))).toBe(false);
    expect(isSound(reportOf({ ...answer, faults: { overlaps: [], deadManFired: 1 } }))).toBe(false);
  });
});

describe('the page', () => {
  it('is one file with tables and curves, that loads nothing and runs nothing', () => {
    const page = renderPage(reportOf(answer));
    expect(page).toContain('<td>&#60;ours&#62;</td>');
    expect(page).toContain('<td class="missed">missed</td>');
    expect(page.match(/<svg /g)).toHaveLength(1);
    expect(page).not.toMatch(/<script|<link|\ssrc=/);
  });
});
