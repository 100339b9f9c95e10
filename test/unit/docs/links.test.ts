import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inlineCode, type Page, pages, ROOT } from '../../support/documents.ts';

/** The anchor that a heading gets. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

/** Links of a page that lead nowhere. */
function deadLinks({ path, text }: Page): string[] {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)|<img[^>]* src="([^"]+)"/g)].map(([, link, image]) => link ?? image);
  return links.filter((link = '') => {
    if (/^[a-z]+:/.test(link)) return false;
    const [name = '', anchor] = link.split('#');
    const file = name === '' ? join(ROOT, path) : join(ROOT, dirname(path), name);
    return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
  }) as string[];
}

/** Folders of the made-up repository in examples. */
const MADE_UP = /^(?:src\/(?:auth|db)|docs\/a\.md)/;

/** Files and folders that a page names by their path from the project's folder and that are not there. */
function missingFiles({ text }: Page): string[] {
  const named = inlineCode(text).filter((code) => /^(?:src|test|scripts|docs|workers)\/[\w./-]*$/.test(code));
  return named.filter((code) => !MADE_UP.test(code) && !existsSync(join(ROOT, code)));
}

describe.each(pages())('$path', (page) => {
  test('has no link that leads nowhere', () => {
    expect(deadLinks(page)).toEqual([]);
  });

  test('names no file that is not there', () => {
    expect(missingFiles(page)).toEqual([]);
  });
});

test('every page of the documentation can be reached from the README', () => {
  const all = pages();
  const reached = new Set(['README.md']);
  for (const path of reached) {
    const text = all.find((page) => page.path === path)?.text ?? '';
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s#]+\.md)/g)) reached.add(join(dirname(path), link));
  }
  expect(all.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
});
