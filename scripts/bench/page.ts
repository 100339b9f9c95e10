/** The report as one HTML file that needs nothing else: tables, and curves drawn by ECharts as SVG. */

import * as echarts from 'echarts';
import type { AnswerTable, Plot } from './question.ts';
import { type Asked, type BenchReport, settingLines, targetTable } from './report.ts';

const SIZE = { width: 760, height: 400 };
const STYLE = `body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } caption { text-align: left; font-weight: 600; }
td, th { border: 1px solid #ccc; padding: 2px 8px; text-align: left; } svg { max-width: 100%; height: auto; }
.missed { color: #b00020; } small { color: #555; }`;

/** The page. */
export function renderPage({ setting, asked }: BenchReport): string {
  const targets = targetTable(asked.flatMap(({ answer }) => answer.targets));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Signalbox: what the bench measured</title>
<style>${STYLE}</style>
<h1>What the bench measured</h1>
${settingLines(setting)
  .map((line) => `<p><small>${escape(line)}</small></p>`)
  .join('\n')}
${asked.map(section).join('\n')}
<h2>Targets</h2>
${htmlTable({ ...targets, title: '' })}
</html>
`;
}

function section({ question: { name, asks }, answer: { tables, plots } }: Asked): string {
  return [`<h2>${escape(name)}</h2>`, `<p>${escape(asks)}</p>`, ...tables.map(htmlTable), ...plots.map(drawn)].join(
    '\n',
  );
}

function htmlTable({ title, head, rows, notes = [] }: AnswerTable): string {
  const cells = (row: readonly (string | number)[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}${cell === 'missed' ? ' class="missed"' : ''}>${escape(String(cell))}</${tag}>`).join('')}</tr>`;
  const caption = title === '' ? '' : `<caption>${escape(title)}</caption>`;
  const body = rows.map((row) => cells(row, 'td')).join('\n');
  return `<table>${caption}\n${cells(head, 'th')}\n${body}\n</table>\n${notes.map((note) => `<p><small>${escape(note)}</small></p>`).join('\n')}`;
}

/** A plot as SVG. */
function drawn({ title, kind, x, y, goal, series }: Plot): string {
  const axis = { category: 'category', linear: 'value', log: 'log' } as const;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  try {
    chart.setOption({
      animation: false,
      title: { text: title, textStyle: { fontSize: 15 } },
      legend: { top: 40 },
      grid: { top: 100, left: 64, right: 32, bottom: 48 },
      xAxis: { type: axis[x.scale], name: x.name, nameLocation: 'middle', nameGap: 28, axisLabel: { interval: 0 } },
      yAxis: { type: axis[y.scale], name: y.name },
      series: series.map(({ name, points }, i) => ({
        type: kind,
        name,
        data: points.map((point) => [...point]),
        ...(goal === undefined || i > 0
          ? {}
          : { markLine: { silent: true, symbol: 'none', data: [{ yAxis: goal }], lineStyle: { type: 'dashed' } } }),
      })),
    });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
