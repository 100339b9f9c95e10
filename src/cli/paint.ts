/** Styles for terminals, and nothing elsewhere. */

import { styleText } from 'node:util';

/** The styles in use. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Puts a style around text, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** Styles if the stream is a terminal that has them and NO_COLOR is not set (https://no-color.org). */
export function painter(stream: NodeJS.WriteStream, env: Readonly<Record<string, string | undefined>>): Paint {
  const plain = !stream.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return plain ? (_style, text) => text : (style, text) => styleText(style, text);
}
