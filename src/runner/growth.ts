/**
 * Growth: a run takes more than its task declares, while it runs. It waits for younger runs that hold it; in the way of
 * an older one it stops, gives up all it holds, and its next run claims the union from the start.
 */

import { LOCK_SERVERS } from '../claims/answers.ts';
import { branchNode, type ClaimNode, type ClaimSpec, claimSet, resourceOf } from '../claims/claim-set.ts';
import { normalizeClaimPath } from '../task/paths.ts';
import type { Run } from './run.ts';
import { checkNames } from './secret-names.ts';

/** What a run needs as well. */
export interface More {
  readonly write: readonly string[];
  readonly read: readonly string[];
  /** The short name of the branch to land on: taken last, with nothing after it. */
  readonly landOn?: string;
}

/** How soon a growth that waits looks again, should the message that something was given back be lost. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Takes more for a run; resolves when it is held. Throws `INVALID` for a path outside the repository, and the run's
 * stop if it has to give up. One growth at a time: they queue up.
 */
export async function grow(run: Run, more: More): Promise<void> {
  for (const path of [...more.write, ...more.read]) normalizeClaimPath(path);
  checkNames([...more.write, ...more.read], Object.values(run.secrets));
  const turn = run.growth.then(async () => await growNow(run, more));
  run.growth = turn.catch(() => {});
  await turn;
}

async function growNow(run: Run, more: More): Promise<void> {
  const { signal, claim, services, progress } = run;
  const { write, read } = run.spec;
  const spec: ClaimSpec = { ...run.spec, write: [...write, ...more.write], read: [...read, ...more.read] };
  const request = { nodes: nodesOf(spec, more.landOn), mayWait: true, isLanding: more.landOn !== undefined };
  const startedAt = Date.now();
  for (let said = false; ; said = true) {
    signal.throwIfAborted();
    const woken = new Promise<void>((wake) => {
      run.onWake = wake;
    });
    const grown = await claim.grow(request);
    switch (grown.kind) {
      case 'grown': {
        const paths = [...more.write, ...more.read];
        run.claimed(paths, spec);
        progress.write({ grown: JSON.stringify(run.grown) });
        services.events.emit({ type: 'claim.grown', ...progress.facts, paths, waitedMs: Date.now() - startedAt });
        return;
      }
      case 'waiting': {
        const { obstacle } = grown;
        const resource = obstacle === LOCK_SERVERS ? obstacle : resourceOf(nodeNamed(obstacle, request.nodes));
        const facts = { ...progress.facts, resource, holderTaskId: grown.blocker };
        if (!said) services.events.emit({ type: 'claim.growing', ...facts });
        await Promise.race([woken, aborted(signal), later()]);
        break;
      }
      default:
        // An older run has it, or the claim is lost: the next run claims all of it from the start.
        run.claimed([...more.write, ...more.read], spec);
        run.stop(grown.kind === 'lost' ? 'lease_lost' : 'yielded');
    }
  }
}

function nodesOf({ resources: _counted, owner: _owner, spec: _spec, ...places }: ClaimSpec, landOn?: string) {
  const base: ClaimNode[] =
    landOn === undefined ? [] : [{ name: branchNode(places.repoKey, landOn), mode: 'X', shown: landOn }];
  return [...claimSet(places), ...base.filter(({ shown }) => shown !== places.branch)];
}

function nodeNamed(name: string, nodes: readonly ClaimNode[]): Pick<ClaimNode, 'name' | 'shown'> {
  return nodes.find((node) => node.name === name) ?? { name, shown: name };
}

async function later(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
}

async function aborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
