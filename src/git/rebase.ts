/**
 * Puts a run's work on top of base as it is now.
 *
 * Each commit is replayed by a three-way merge of trees in the mirror, after it was checked on its way there. Nothing
 * of what a step may have planted is near: no checkout is touched, and the mirror's configuration is ours.
 */

import { importCommit } from './import-commit.ts';
import { mergeTrees } from './merge.ts';
import { isAncestor, type Mirror, type Oid } from './mirror.ts';

/** What to put on top of what. */
export interface RebaseRequest {
  readonly workspaceDir: string;
  /** The work: what base and `baseOid` do not have of its history is replayed. */
  readonly commit: Oid;
  /** Base when the run began (`StartPoint.baseOid`); null if it is not known. What base has dropped since stays out. */
  readonly baseOid: Oid | null;
  /** Base's tip, from `readBase`. */
  readonly tip: Oid;
  readonly signal?: AbortSignal | undefined;
}

/** The work on top of base's tip, or the files that stand against it. */
export type RebaseResult =
  /** `changed`: it is not the commit that was asked for, so that what was tested is not what would land. */
  | { readonly kind: 'rebased'; readonly commit: Oid; readonly changed: boolean }
  | { readonly kind: 'conflict'; readonly paths: string[] };

interface Original {
  readonly oid: Oid;
  readonly parents: readonly Oid[];
  readonly message: string;
  /** Author and committer, as git takes them. */
  readonly env: Readonly<Record<string, string>>;
}

interface Replay {
  readonly mirror: Mirror;
  readonly attributesFrom: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Replays the work onto base's tip, commit by commit along first parents; a merge keeps its other parents. Authors,
 * their dates and messages with their trailers stay; a commit whose change base has already is left out. The result
 * is in the mirror, and the workspace is as it was: `checkOut` puts it there.
 */
export async function rebaseOnto(mirror: Mirror, request: RebaseRequest): Promise<RebaseResult> {
  const { commit, baseOid, tip, signal, workspaceDir } = request;
  await importCommit(mirror, request);
  const onlyGrown = baseOid === null || (await isAncestor(mirror, baseOid, tip));
  if (onlyGrown && (await isAncestor(mirror, tip, commit))) return { kind: 'rebased', commit, changed: false };
  const replay = { mirror, attributesFrom: workspaceDir, signal };
  let head = tip;
  for (const original of await workOf(request, mirror)) {
    const made = await replayOne(replay, original, head);
    if (typeof made !== 'string') return made;
    head = made;
  }
  return { kind: 'rebased', commit: head, changed: head !== commit };
}

const FIELDS = ['%H', '%P', '%an', '%ae', '%ad', '%cn', '%ce', '%B'];

/** The commits to replay, the oldest first. */
async function workOf({ commit, baseOid, tip, signal }: RebaseRequest, { git, dir }: Mirror): Promise<Original[]> {
  const known = [tip, ...(baseOid === null ? [] : [baseOid])].map((oid) => `^${oid}`);
  const order = ['--first-parent', '--topo-order', '--reverse'];
  const form = ['-z', '--encoding=UTF-8', '--date=raw', `--format=${FIELDS.join('%x00')}`];
  const { stdout } = await git(['log', ...order, ...form, commit, ...known], { gitDir: dir, signal });
  const values = stdout.split('\0');
  const count = Math.floor(values.length / FIELDS.length);
  return Array.from({ length: count }, (_, index) =>
    originalOf(values.slice(index * FIELDS.length, (index + 1) * FIELDS.length)),
  );
}

function originalOf(values: readonly string[]): Original {
  const [oid = '', parents = '', author = '', authorMail = '', date = '', committer = '', mail = '', message = ''] =
    values;
  return {
    oid,
    parents: parents.split(' ').filter((parent) => parent !== ''),
    message,
    env: {
      GIT_AUTHOR_NAME: author,
      GIT_AUTHOR_EMAIL: authorMail,
      GIT_AUTHOR_DATE: `@${date}`,
      GIT_COMMITTER_NAME: committer,
      GIT_COMMITTER_EMAIL: mail,
    },
  };
}

/** One commit's change on top of `head`: the new commit, or `head` itself if it changes nothing there. */
async function replayOne(
  { mirror, attributesFrom, signal }: Replay,
  { oid, parents: [parent, ...others], message, env }: Original,
  head: Oid,
): Promise<Oid | Extract<RebaseResult, { kind: 'conflict' }>> {
  const commitTree = async (tree: string, on: readonly Oid[], text: string) => {
    const args = ['commit-tree', tree, ...on.flatMap((each) => ['-p', each]), '-F', '-'];
    return (await mirror.git(args, { gitDir: mirror.dir, input: text, env, signal })).stdout.trim();
  };
  // git merges from the newest common ancestor. Head's tree as a child of the commit's parent makes it that parent;
  // the option that names it outright came with git 2.40.
  const ours = await commitTree(`${head}^{tree}`, parent === undefined ? [] : [parent], '');
  const merge = await mergeTrees(mirror, { ours, theirs: oid, attributesFrom, signal });
  if (merge.kind === 'conflict') return merge;
  const kept: Oid[] = [];
  for (const other of others) if (!(await isAncestor(mirror, other, head))) kept.push(other);
  const before = await mirror.git(['rev-parse', '--verify', `${head}^{tree}`], { gitDir: mirror.dir });
  if (merge.tree === before.stdout.trim() && kept.length === 0) return head;
  return commitTree(merge.tree, [head, ...kept], message);
}
