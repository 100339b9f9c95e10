import { describe, expect, it } from 'vitest';
import { colour, toSvg } from '../../../scripts/demo/svg.ts';

describe('the picture', () => {
  it('colours bars by turns and keeps every character at its column', () => {
    const line = 'A.1 ··▐one━━▐two·';
    const stretches = colour(line);
    expect(stretches.map(({ text }) => text).join('')).toBe(line);
    expect(stretches.map(({ text, column }) => [text, column])).toEqual([
      ['A.1 ', 0],
      ['··', 4],
      ['▐one━━', 6],
      ['▐two', 12],
      ['·', 16],
    ]);
    expect(stretches[2]?.colour).not.toBe(stretches[3]?.colour);
  });

  it('shows ticks and crosses in colours of their own', () => {
    expect(colour('✔ good')[0]?.colour).not.toBe(colour('✘ bad')[0]?.colour);
  });

  it('escapes what SVG would read', () => {
    const svg = toSvg(['a < b & c'], 't');
    expect(svg).toContain('a &lt; b &amp; c</text>');
    expect(svg.match(/<text /g)).toHaveLength(1);
  });

  it('is as large as its text', () => {
    expect(toSvg(['12345', '1'], 't')).toContain(`width="${5 * 8 + 32}" height="${2 * 18 + 32}"`);
  });
});
