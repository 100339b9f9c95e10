import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Scrubber, scrub } from '../../../../src/runner/supervisor/scrubber.ts';

const SECRET = 'p@ss/wörd+"x" 1';

function scrubChunks(secrets: string[], chunks: Buffer[]): string {
  const scrubber = new Scrubber(secrets);
  return Buffer.concat([...chunks.map((chunk) => scrubber.push(chunk)), scrubber.end()]).toString();
}

function cutAt(data: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [0, ...places.map((place) => place % (data.length + 1)).sort((a, b) => a - b), data.length];
  return cuts.slice(1).map((cut, index) => data.subarray(cuts[index], cut));
}

describe('a scrubbed stream', () => {
  it.each([
    ['raw', SECRET],
    ['base64', Buffer.from(SECRET).toString('base64')],
    ['URL-safe base64', Buffer.from(SECRET).toString('base64url')],
    ['base64 inside a longer text', Buffer.from(`user:${SECRET}`).toString('base64').slice(7)],
    ['URL-encoded', encodeURIComponent(SECRET)],
    ['URL-encoded in lower case', encodeURIComponent(SECRET).replace(/%../g, (hex) => hex.toLowerCase())],
    ['form-encoded', new URLSearchParams({ a: SECRET }).toString().slice(2)],
    ['JSON-escaped', JSON.stringify(SECRET).slice(1, -1)],
    ['JSON-escaped in ASCII', JSON.stringify(SECRET).slice(1, -1).replace('ö', '\\u00f6')],
  ])('hides a secret that is %s', (_, form) => {
    const shown = scrub(`before ${form} after`, [SECRET]);
    expect(shown).toMatch(/^before \*\*\*.{0,4} after$/);
  });

  it.each([0, 1, 2])('hides base64 of a text that has the secret at offset %i, whatever surrounds it', (offset) => {
    const text = Buffer.from(`${'~'.repeat(offset)}correct-horse-battery~~~`).toString('base64');
    // What is left are the neighbours, and the characters that share bits with them.
    expect(scrub(text, ['correct-horse-battery'])).toMatch(/^.{0,3}\*\*\*.{4,7}$/);
  });

  it('hides each line of a secret with several, and base64 that is broken into lines', () => {
    const key = `-----BEGIN KEY-----\n${'k3yB0dy/'.repeat(20)}\n-----END KEY-----\n`;
    const indented = key.replaceAll('\n', '\n    ');
    expect(scrub(indented, [key])).not.toContain('k3yB0dy');
    const wrapped = Buffer.from(key)
      .toString('base64')
      .match(/.{1,76}/g)!;
    expect(scrub(wrapped.join('\n'), [key])).toMatch(/^\*\*\*(\n\*\*\*)*$/);
  });

  it.each([
    ['raw', 'correct-horse-battery'],
    ['base64', Buffer.from('correct-horse-battery').toString('base64')],
    ['JSON-escaped', JSON.stringify(SECRET).slice(1, -1)],
  ])('hides a secret that is %s where lines split it', (_, form) => {
    for (const lineEnd of ['\n', '\r\n']) {
      for (const width of [4, 7, 16]) {
        const lines = form.match(new RegExp(`.{1,${width}}`, 'g'))!.join(lineEnd);
        const chunks = Array.from(`before\n${lines}\nafter`, (letter) => Buffer.from(letter));
        expect(scrubChunks(['correct-horse-battery', SECRET], chunks)).toBe('before\n***\nafter');
      }
    }
  });

  it('leaves lines alone that only by chance end and begin like a secret', () => {
    expect(scrub('a short\nword', ['shortword-x', 'tword'])).toBe('a short\nword');
    const scrubber = new Scrubber(['secret-value']);
    expect(scrubber.push(Buffer.from('Yes\n')).toString()).toBe('Yes\n');
    expect(scrubber.push(Buffer.from('my secret\n')).toString()).toBe('my ');
  });

  it('shows the same wherever chunks are cut', () => {
    const word = fc.constantFrom('abc', 'abcdef', 'defabc', 'cd', 'ab', 'a', 'xyz', 'é', '\n', 'longer', '-secret');
    fc.assert(
      fc.property(fc.array(word), fc.array(fc.nat(200)), (words, places) => {
        const data = Buffer.from(words.join(''));
        const secrets = ['abc', 'abcdef', 'cdx', 'éa', 'longer-secret', 'x\ny'];
        const shown = scrubChunks(secrets, cutAt(data, places));
        expect(shown).toBe(scrubChunks(secrets, [data]));
        for (const secret of secrets) expect(shown).not.toContain(secret);
        expect(shown.replaceAll('\n', '')).not.toContain('longer-secret');
      }),
    );
  }, 30_000);

  it('hides all of two secrets that overlap, as one', () => {
    expect(scrub('xabcdefx', ['abcd', 'cdef'])).toBe('x***x');
    expect(scrubChunks(['abcd', 'cdef'], [Buffer.from('xabcd'), Buffer.from('ef'), Buffer.from('x')])).toBe('x***x');
  });

  it('holds back only what may be the beginning of a secret', () => {
    const scrubber = new Scrubber(['secret']);
    expect(scrubber.push(Buffer.from('Password: ')).toString()).toBe('Password: ');
    expect(scrubber.push(Buffer.from('a sec')).toString()).toBe('a ');
    expect(scrubber.push(Buffer.from('ond')).toString()).toBe('second');
    expect(scrubber.push(Buffer.from(' secr')).toString()).toBe(' ');
    expect(scrubber.end().toString()).toBe('secr');
  });

  it('passes everything when there is nothing to hide, and takes an empty value for no secret', () => {
    expect(scrub('as it is', [])).toBe('as it is');
    expect(scrub('as it is', [''])).toBe('as it is');
  });
});
