/** The dashboard and the alert rules are held to the metrics that there are, and checked by Prometheus' own tool. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { definitionOf, METRICS, type MetricName } from '../../../src/telemetry/metrics/definitions.ts';
import { ROOT } from '../../support/documents.ts';
import { docText } from '../../support/markdown.ts';
import { hasPromtool, promtoolMissing } from '../../support/promtool.ts';

const PROMETHEUS = join(ROOT, 'deploy/prometheus');
const textOf = (name: string): string => readFileSync(join(ROOT, 'deploy', name), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
}
const rules = (parse(textOf('prometheus/rules.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string; readonly refId: string }[];
}
const panels = (JSON.parse(textOf('grafana/signalbox.json')) as { panels: Panel[] }).panels;
const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

/** What is wrong with the metrics that an expression names: unknown ones, and labels that they do not have. */
function wrongIn(expr: string): string[] {
  const selectors = [...expr.matchAll(/\b(signalbox_\w+)(?:\{([^}]*)\})?/g)];
  return selectors.flatMap(([, name = '', matchers = '']) => {
    const base =
      name.replace(/_(?:bucket|sum|count)$/, '') in METRICS ? name.replace(/_(?:bucket|sum|count)$/, '') : name;
    if (!(base in METRICS)) return [`there is no metric ${name}`];
    const { type, labels = {} } = definitionOf(base as MetricName);
    if ((base !== name) !== (type === 'histogram')) return [`${name} is no series of a ${type}`];
    const known = [...Object.keys(labels), 'instance', 'job', ...(type === 'histogram' ? ['le'] : [])];
    return [...matchers.matchAll(/(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"/g)].flatMap(
      ([, label = '', operator, value = '']) => {
        if (!known.includes(label)) return [`${base} has no label ${label}`];
        const values = labels[label];
        if (values === undefined || values === 'bounded' || operator === '!=' || operator === '!~') return [];
        const unknown = value.split('|').filter((one) => !values.includes(one));
        return unknown.map((one) => `${label} of ${base} is never ${one}`);
      },
    );
  });
}

describe('the check of expressions', () => {
  it.each([
    ['signalbox_no_such_total', 'there is no metric'],
    ['signalbox_tasks{stat="queued"}', 'has no label stat'],
    ['signalbox_tasks{state="done"}', 'is never done'],
    ['signalbox_run_seconds > 1', 'is no series of a histogram'],
  ])('finds what is wrong with %s', (expr, problem) => {
    expect(wrongIn(expr)).toEqual([expect.stringContaining(problem)]);
  });
});

describe('the alert rules', () => {
  it('ask only for metrics and labels that there are', () => {
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.flatMap(({ alert, expr }) => wrongIn(expr).map((problem) => `${alert}: ${problem}`))).toEqual([]);
  });

  it('each have a test and a section on what to do', () => {
    const tests = textOf('prometheus/rules.test.yml');
    const sections = new Set([...docText('operations.md').matchAll(/^### (Signalbox\w+)$/gm)].map(([, name]) => name));
    expect(rules.filter(({ alert }) => !tests.includes(alert)).map(({ alert }) => alert)).toEqual([]);
    expect([...sections]).toEqual(rules.map(({ alert }) => alert));
  });

  it.skipIf(!hasPromtool)(`are taken by promtool, and pass their tests${promtoolMissing}`, () => {
    for (const args of [
      ['check', 'rules', 'rules.yml'],
      ['test', 'rules', 'rules.test.yml'],
      ['check', 'config', '--syntax-only', 'prometheus.yml'],
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: PROMETHEUS, encoding: 'utf8' });
      expect(status, `${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
    }
  });
});

describe('the dashboard for Grafana', () => {
  it('asks only for metrics and labels that there are, of the one instance that was chosen', () => {
    expect(queries.length).toBeGreaterThan(30);
    expect(queries.flatMap(wrongIn)).toEqual([]);
    expect(queries.filter((expr) => !expr.includes('instance=~"$instance"'))).toEqual([]);
  });

  it('has no two panels in one place, and none without a name', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.filter(({ title }) => title === '')).toEqual([]);
    const legends = panels.flatMap(({ targets = [] }) =>
      targets.flatMap(({ legendFormat, expr }) =>
        [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)]
          .filter(
            ([, label]) =>
              !new RegExp(`by \\([^)]*\\b${label}\\b`).test(expr) && !/^signalbox_\w+\{[^}]*\}$/.test(expr),
          )
          .map(([, label]) => `${label} in ${expr}`),
      ),
    );
    expect(legends).toEqual([]);
  });

  it.skipIf(!hasPromtool)(`has queries that Prometheus understands${promtoolMissing}`, () => {
    const dir = mkdtempSync(join(tmpdir(), 'signalbox-grafana-'));
    try {
      const asRules = queries.map((expr, i) => ({
        record: `query_${i}`,
        expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', 'a'),
      }));
      writeFileSync(join(dir, 'queries.yml'), JSON.stringify({ groups: [{ name: 'queries', rules: asRules }] }));
      const { status, stderr } = spawnSync('promtool', ['check', 'rules', 'queries.yml'], {
        cwd: dir,
        encoding: 'utf8',
      });
      expect(status, stderr).toBe(0);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
