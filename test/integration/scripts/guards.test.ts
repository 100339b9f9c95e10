import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { GUARDS } from '../../../scripts/guards/guards.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

test.each(GUARDS.map((guard) => [guard.name, guard] as const))(
  '%s: the guard and its test are where the list says',
  (_name, guard) => {
    const text = readFileSync(join(ROOT, guard.file), 'utf8');
    expect(text.split(guard.from), guard.file).toHaveLength(2);
    expect(text.replace(guard.from, () => guard.to)).not.toBe(text);
    expect(readFileSync(join(ROOT, guard.test.file), 'utf8')).toContain(guard.test.name.slice(0, 40));
  },
);
