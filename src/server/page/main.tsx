/** The page's beginning. */

import { render } from 'preact';
import { connect } from './api/live.ts';
import { App } from './shell/app.tsx';
import { startClock } from './shell/clock.ts';
import { followLinks } from './shell/go.ts';
import { askMe } from './shell/me.ts';
import { applyTheme } from './shell/theme.ts';

const place = document.querySelector('#page');
if (place !== null) {
  applyTheme();
  startClock();
  followLinks();
  connect();
  void askMe();
  render(<App />, place);
}
