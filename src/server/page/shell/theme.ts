/** Dark and light: as the system says, until the visitor says otherwise. */

import { computed, effect, signal } from '@preact/signals';

type Choice = 'system' | 'light' | 'dark';

const KEY = 'signalbox.theme';
const darkSystem = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(darkSystem.matches);

/** What the visitor chose. */
const choice = signal<Choice>(kept());
/** What is shown. */
export const theme = computed<'light' | 'dark'>(() => {
  if (choice.value !== 'system') return choice.value;
  return systemIsDark.value ? 'dark' : 'light';
});

/** Applies the theme to the page, and goes on to. */
export function applyTheme(): void {
  darkSystem.addEventListener('change', ({ matches }) => {
    systemIsDark.value = matches;
  });
  effect(() => {
    document.documentElement.dataset['theme'] = theme.value;
  });
}

/** Changes to the other theme, and keeps to it. Back at the system's own, follows that again. */
export function toggleTheme(): void {
  const next = theme.value === 'dark' ? 'light' : 'dark';
  choice.value = (next === 'dark') === systemIsDark.value ? 'system' : next;
  try {
    localStorage.setItem(KEY, choice.value);
  } catch {
    // A browser that keeps nothing has its theme until it is closed.
  }
}

/** The value of a colour of the theme in force, for what is drawn on a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function kept(): Choice {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}
