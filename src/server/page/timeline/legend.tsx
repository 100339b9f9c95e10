/** What the timeline's shapes mean. */

/** The legend below the lanes. */
export function Legend() {
  return (
    <ul class="legend" aria-label="Legend">
      <li>
        <span class="legend-phases" aria-hidden="true">
          <i class="legend-prepare" />
          <i class="legend-implement" />
          <i class="legend-test" />
          <i class="legend-publish" />
        </span>
        prepare, implement, test, publish
      </li>
      <li>
        <span class="legend-failed" aria-hidden="true" />
        failed
      </li>
      <li>
        <span class="legend-stopped" aria-hidden="true" />
        cancelled
      </li>
      <li>
        <span class="legend-wait" aria-hidden="true" />
        waits, for the run that the line leads to
      </li>
      <li class="legend-keys">
        drag to pan · <kbd>Ctrl</kbd> + wheel or <kbd>+</kbd> <kbd>-</kbd> to zoom · click opens
      </li>
    </ul>
  );
}
