/** The form that a browser gets in place of a page until it has shown a token. It needs no script. */

import { hash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText; }
form { width: min(22rem, calc(100vw - 3rem)); display: grid; gap: .75rem; }
h1 { font-size: 1.25rem; margin: 0; } p { margin: 0; opacity: .8; }
label { display: grid; gap: .25rem; } input, button { font: inherit; padding: .5rem .75rem; border-radius: .375rem; }
input { border: 1px solid GrayText; background: Field; color: FieldText; }
button { border: 0; background: #2458d3; color: #fff; cursor: pointer; }
[role=alert] { color: #c62828; opacity: 1; } @media (prefers-color-scheme: dark) { [role=alert] { color: #ff8a80; } }
`;

/** The policy of this page: its own style and nothing else. */
export const LOGIN_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', STYLE, 'base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page; `next` is where to go afterwards, `problem` what was wrong with the last try. */
export function loginPage({ next, problem }: { readonly next: string; readonly problem?: string }): string {
  const alert = problem === undefined ? '' : `<p role="alert">${escaped(problem)}</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Signalbox: sign in</title><style>${STYLE}</style></head>
<body><form method="post" action="/login"><h1>Signalbox</h1>
<p>This dashboard asks for its token (SIGNALBOX_TOKEN to steer, SIGNALBOX_READ_TOKEN to look).</p>${alert}
<input type="hidden" name="next" value="${escaped(ownPath(next))}">
<label>Token <input type="password" name="token" autocomplete="current-password" required autofocus></label>
<button type="submit">Sign in</button></form></body></html>
`;
}

/** A path of this dashboard; the front page for what may lead elsewhere. */
export function ownPath(path: string): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(path) && !path.includes('\\') ? path : '/';
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
