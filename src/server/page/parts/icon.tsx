/** The page's few icons, drawn here: 16 by 16, in the colour of the text around them. */

const PATHS = {
  now: 'M2.5 8h2.8l1.7-4.5 2.6 9 1.7-4.5h2.2',
  timeline: 'M2.5 4h6M5.5 8h7M3.5 12h5M11 12h2.5M11 4h2.5',
  hot: 'M2.5 2.5h6v11h-6zM8.5 2.5h5v5h-5zM8.5 7.5h5v6h-5z',
  tasks: 'M6 4h7.5M6 8h7.5M6 12h7.5M2.8 4h.4M2.8 8h.4M2.8 12h.4',
  limits: 'M3 4.5h6.5M12 4.5h1M3 11.5h1M6.5 11.5H13M9.5 3v3M4 10v3',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2v9.6L12.5 8z',
  stop: 'M4 4h8v8H4z',
  retry: 'M12.8 8a4.8 4.8 0 1 1-1.5-3.5M12.8 2.2v2.7h-2.7',
  download: 'M8 2.5v7.5M4.8 7l3.2 3.2L11.2 7M3 13.3h10',
  search: 'M7 2.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4M10.2 10.2l3.3 3.3',
  lock: 'M4 7.2h8v6H4zM5.6 7V5.2a2.4 2.4 0 0 1 4.8 0V7',
  branch:
    'M4.5 4.6v6.8M11.5 6.6c0 3-7 1.6-7 4.8M4.5 2.6a1 1 0 1 0 0 2 1 1 0 0 0 0-2M4.5 11.4a1 1 0 1 0 0 2 1 1 0 0 0 0-2M11.5 4.6a1 1 0 1 0 0 2 1 1 0 0 0 0-2',
  chevron: 'M6 3.5 10.5 8 6 12.5',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  right: 'M6 3.5 10.5 8 6 12.5',
  close: 'M4 4l8 8M12 4l-8 8',
  queues: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h7',
} as const;

/** An icon's name. */
export type IconName = keyof typeof PATHS;

/** An icon; it says nothing to screen readers, the text beside it does. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
