/** Says that the dashboard is away, and from when what is on the screen is. */

import { useEffect, useState } from 'preact/hooks';
import { connect, lastLiveAt, refresh } from '../api/live.ts';
import { clockWords } from '../words/time.ts';
import { me, meError } from './me.ts';
import { isAway } from './status.ts';

/** A short gap is nobody's concern. */
const PATIENCE_MS = 1_500;

/** The banner, while it is needed. */
export function LostBanner() {
  const isLost = isAway.value || (meError.value !== undefined && me.value === undefined);
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (!isLost) {
      setShown(false);
      return undefined;
    }
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isLost]);
  if (!isShown) return null;
  const isSignedOut = meError.value?.status === 401;
  const retry = (): void => {
    if (isSignedOut) location.reload();
    connect();
    refresh();
  };
  return (
    <div class="banner is-lost" role="alert">
      <p>
        {isSignedOut
          ? 'You are signed out.'
          : `No connection to the dashboard. What you see is from ${clockWords(lastLiveAt.value)}; trying again by itself.`}
      </p>
      <button type="button" class="button" onClick={retry}>
        {isSignedOut ? 'Sign in' : 'Try now'}
      </button>
    </div>
  );
}
