import { findChromium, INSTALL } from '../../scripts/screenshots/browser.ts';

/** Without a browser there is nothing to test: said once, instead of by every test. */
export default function setup(): void {
  if (findChromium() === undefined) throw new Error(INSTALL);
}
