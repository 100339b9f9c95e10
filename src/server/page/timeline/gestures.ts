/** Panning and zooming by mouse, fingers and wheel. */

import { type Ends, panned, zoomedAt } from './window.ts';

/** What is shown, and who is told what shall be. */
export interface Gestures {
  readonly ends: () => Ends;
  readonly onMove: (ends: Ends) => void;
}

/** A pointer that moves less than this clicks. */
const CLICK_PX = 4;
const WHEEL = 1.25;

/** Follows gestures on an element; answers how to end that. */
export function followGestures(element: HTMLElement, gestures: Gestures): () => void {
  const drag = new Drag(element, gestures);
  const stopped = new AbortController();
  const { signal } = stopped;
  element.addEventListener('pointerdown', (event) => drag.down(event), { signal });
  element.addEventListener('pointermove', (event) => drag.move(event), { signal });
  element.addEventListener('pointerup', (event) => drag.up(event), { signal });
  element.addEventListener('pointercancel', (event) => drag.up(event), { signal });
  // The end of a drag is no click.
  element.addEventListener('click', (event) => drag.isDragging && event.stopPropagation(), { signal, capture: true });
  element.addEventListener('wheel', (event) => wheeled(element, event, gestures), { signal, passive: false });
  return () => stopped.abort();
}

/** With Ctrl it zooms, with Shift it pans; alone it scrolls the page, as everywhere. */
function wheeled(element: HTMLElement, event: WheelEvent, { ends, onMove }: Gestures): void {
  const isZoom = event.ctrlKey || event.metaKey;
  if (!isZoom && !event.shiftKey) return;
  event.preventDefault();
  const { left, width } = element.getBoundingClientRect();
  const by = event.deltaY === 0 ? event.deltaX : event.deltaY;
  if (isZoom) onMove(zoomedAt(ends(), (event.clientX - left) / width, by > 0 ? WHEEL : 1 / WHEEL));
  else onMove(panned(ends(), by / width));
}

/** One pointer pans, two pinch. Everything is reckoned from where the gesture began, so that nothing adds up. */
class Drag {
  isDragging = false;
  readonly #element: HTMLElement;
  readonly #gestures: Gestures;
  readonly #pointers = new Map<number, number>();
  #start: { readonly ends: Ends; readonly xs: readonly number[] } | undefined;

  constructor(element: HTMLElement, gestures: Gestures) {
    this.#element = element;
    this.#gestures = gestures;
  }

  down({ pointerId, clientX, button }: PointerEvent): void {
    if (button !== 0) return;
    this.#pointers.set(pointerId, clientX);
    this.#begin();
  }

  move({ pointerId, clientX }: PointerEvent): void {
    if (!this.#pointers.has(pointerId) || this.#start === undefined) return;
    this.#pointers.set(pointerId, clientX);
    const { ends, xs } = this.#start;
    const [x = 0, other] = this.#pointers.values();
    const [x0 = 0, other0 = 0] = xs;
    const { left, width } = this.#element.getBoundingClientRect();
    if (other !== undefined) {
      const factor = Math.max(1, Math.abs(other0 - x0)) / Math.max(1, Math.abs(other - x));
      this.isDragging = true;
      this.#gestures.onMove(zoomedAt(ends, ((x0 + other0) / 2 - left) / width, factor));
      return;
    }
    if (!this.isDragging && Math.abs(x - x0) < CLICK_PX) return;
    // Not before: whoever has the pointer gets the click as well.
    if (!this.isDragging) this.#element.setPointerCapture(pointerId);
    this.isDragging = true;
    this.#gestures.onMove(panned(ends, (x0 - x) / width));
  }

  up({ pointerId }: PointerEvent): void {
    this.#pointers.delete(pointerId);
    this.#begin();
    // After the click that follows.
    if (this.#pointers.size === 0) setTimeout(() => (this.isDragging = false));
  }

  #begin(): void {
    this.#start = { ends: this.#gestures.ends(), xs: [...this.#pointers.values()] };
  }
}
