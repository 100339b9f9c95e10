/** Who looks at the page, and what they may do. */

import { computed, signal } from '@preact/signals';
import { addressOf, getJson, type RequestError } from '../api/request.ts';
import type { Me } from '../api/shapes.ts';

/** What the dashboard says about the visitor; undefined until it has. */
export const me = signal<Me | undefined>(undefined);
/** Why it has not. */
export const meError = signal<RequestError | undefined>(undefined);
/** Whether the visitor may change things. */
export const mayWrite = computed(() => me.value !== undefined && me.value.role !== 'read');

/** Asks who the visitor is. */
export async function askMe(): Promise<void> {
  try {
    me.value = await getJson<Me>(addressOf('/me'));
    meError.value = undefined;
  } catch (error) {
    meError.value = error as RequestError;
  }
}
