import { describe, expect, test } from 'vitest';
import { claimSet } from '../../../src/claims/claim-set.ts';
import type { Holder } from '../../../src/client/held.ts';
import { Standing, type WaitingTicket as Ticket } from '../../../src/client/standing.ts';
import type { TicketNode } from '../../../src/waiting/line.ts';

const writes = (...write: string[]): TicketNode[] => claimSet({ repoKey: 'r', write, read: [] });
const path = (value: string): string => `r#path:${value}`;
const slot = (name: string): TicketNode => ({ name: `#${name}`, mode: 'slot', shown: name });

const holder = (id: string, nodes: readonly TicketNode[], more: Partial<Holder> = {}): Holder => ({
  id: `r-${id}`,
  kind: 'run',
  taskId: id,
  workerId: 'w',
  since: 0,
  nodes,
  branch: null,
  growth: null,
  ...more,
});
const ticket = (id: string, nodes: readonly TicketNode[], more: Partial<Ticket> = {}): Ticket => ({
  id,
  kind: 'task',
  state: 'waiting',
  rank: 0,
  since: 0,
  obstacle: nodes[0]?.name,
  passed: 0,
  keeps: false,
  proceeds: false,
  exempt: [],
  nodes,
  ...more,
});

function standing(holders: Holder[], tickets: Ticket[], limits: Record<string, number> = {}) {
  const made = new Standing({ holders, tickets, limits: new Map(Object.entries(limits)), isPaused: false });
  const of = (id: string): Ticket => made.ticket(id) ?? ticket('none', []);
  return {
    blockers: (id: string) =>
      made.blockersOf(of(id)).map((one) => `${one.resource} ${one.mode} ${one.holder.kind} ${one.holder.taskId}`),
    ahead: (id: string) => made.aheadOf(of(id)).map((one) => one.id),
    chain: (id: string) =>
      made.chainOf(of(id)).map((link) => `${link.taskId} ${link.resource} ${link.kind} ${link.holderTaskId}`),
  };
}

describe('who is in the way', () => {
  test('is named with what it asked for, the obstacle first', () => {
    const { blockers } = standing(
      [holder('h1', writes('a/x')), holder('h2', writes('b')), holder('h3', writes('c'))],
      [ticket('t', writes('a', 'b/y'), { obstacle: path('b') })],
    );
    expect(blockers('t')).toEqual(['path:b write run h2', 'path:a/x write run h1']);
  });

  test('is a reservation, or what is kept for an earlier one and not for a later one', () => {
    const { blockers } = standing(
      [],
      [
        ticket('kept', writes('a'), { keeps: true }),
        ticket('t', writes('a', 'b'), { keeps: true }),
        ticket('later', writes('a'), { keeps: true }),
        ticket('served', writes('b'), { state: 'granted', obstacle: undefined }),
      ],
    );
    expect(blockers('t')).toEqual(['path:a write kept kept', 'path:b write reserved served']);
  });

  test('is a branch that is not merged yet, under the task that has ended', () => {
    const { blockers } = standing([holder('h', writes('a'), { kind: 'merged' })], [ticket('t', writes('a'))]);
    expect(blockers('t')).toEqual(['path:a write merged h']);
  });

  test('is everyone with a slot, but only when all slots are taken', () => {
    const holders = [holder('h1', [slot('resource:db')]), holder('h2', [slot('resource:db')])];
    const line = [ticket('t', [slot('resource:db')])];
    expect(standing(holders, line, { 'resource:db': 3 }).blockers('t')).toEqual([]);
    expect(standing(holders, line, { 'resource:db': 2 }).blockers('t')).toHaveLength(2);
    expect(standing([], line).blockers('t')).toEqual([]);
  });
});

describe('who is ahead', () => {
  test('is counted over all that a ticket waits for, not only where it is filed', () => {
    const held = [holder('h1', writes('a')), holder('h2', writes('b'))];
    const { ahead } = standing(held, [
      ticket('wants a', writes('a/x')),
      ticket('wants b', writes('b')),
      ticket('wants c', writes('c')),
      ticket('t', writes('a', 'b'), { obstacle: path('a') }),
      ticket('later', writes('a'), { obstacle: path('a') }),
    ]);
    expect(ahead('t')).toEqual(['wants a', 'wants b']);
    expect(ahead('later')).toEqual(['wants a', 't']);
  });

  test('is also who wants a folder above it as a whole', () => {
    const { ahead } = standing(
      [holder('h', writes('a/x'))],
      [
        ticket('all', writes('.')),
        ticket('beside', writes('a/y')),
        ticket('t', writes('a/x'), { obstacle: path('a/x') }),
      ],
    );
    expect(ahead('t')).toEqual(['all']);
  });
});

describe('the chain', () => {
  test('goes on from what is kept for one that waits itself, then to those ahead', () => {
    const { chain } = standing(
      [holder('h1', writes('a')), holder('h2', writes('c'))],
      [
        ticket('kept', writes('a', 'b'), { keeps: true, obstacle: path('a') }),
        ticket('before', writes('b', 'c'), { obstacle: path('c') }),
        ticket('t', writes('b/x'), { obstacle: path('b') }),
      ],
    );
    expect(chain('t')).toEqual(['t path:b kept kept', 'kept path:a run h1', 'before path:c run h2']);
  });

  test('goes on from a run that asked for more', () => {
    const growing = holder('h1', writes('a', 'b'), { growth: { number: 1, wanted: writes('b') } });
    const { chain } = standing(
      [growing, holder('h2', writes('b/x'))],
      [ticket('t', writes('a'), { obstacle: path('a') })],
    );
    expect(chain('t')).toEqual(['t path:a run h1', 'h1 path:b/x run h2']);
  });

  test('ends where it would go round', () => {
    const one = holder('h1', writes('a', 'b'), { growth: { number: 1, wanted: writes('b') } });
    const two = holder('h2', writes('a/x', 'b'), { growth: { number: 0, wanted: writes('a/x') } });
    expect(standing([one, two], [ticket('t', writes('a'), { obstacle: path('a') })]).chain('t').length).toBeLessThan(4);
  });
});
