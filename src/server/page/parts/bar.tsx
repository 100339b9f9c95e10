/** A small bar: how much of something. */

interface BarProps {
  readonly value: number;
  readonly most: number;
  readonly label: string;
}

/** `value` of `most`, as long as its share. */
export function Bar({ value, most, label }: BarProps) {
  const share = most <= 0 ? 0 : Math.min(1, value / most);
  return (
    <span class="bar" role="img" aria-label={label}>
      <i
        ref={(node) => {
          if (node !== null) node.style.width = `${share * 100}%`;
        }}
      />
    </span>
  );
}
