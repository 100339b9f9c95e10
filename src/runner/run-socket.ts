/**
 * The socket of a run: by it a step asks for more claims (`signalbox claim add`). HTTP with one path, `POST /claim` and
 * `{write, read}`, answered by the same JSON as the command prints. It lies in the run's folder; where that path is too
 * long for a socket, in a folder of its own below the system's temporary one.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SignalboxError } from '../errors.ts';
import { readBy, strict } from '../invalid.ts';
import { paths } from '../task/fields.ts';
import type { More } from './growth.ts';

/** What the kernel takes for a socket's path, less a byte: 104 on macOS, 108 on Linux. */
const MAX_SOCKET_PATH = 103;
/** Twice what the longest claim may take in JSON. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

const request = strict({ write: paths.default([]), read: paths.default([]) });

/** A socket that listens. */
export interface RunSocket {
  readonly path: string;
  readonly close: () => Promise<void>;
}

/** Takes more; resolves when it is held, with an object of what is to be told beside it, if anything is. */
export type ClaimMore = (more: More) => Promise<unknown>;

/** Listens in `folder`; `claim` takes more. */
export async function openRunSocket(folder: string, claim: ClaimMore): Promise<RunSocket> {
  const inFolder = join(folder, 'socket');
  const isShort = Buffer.byteLength(inFolder) <= MAX_SOCKET_PATH;
  const path = isShort ? inFolder : join(await mkdtemp(join(tmpdir(), 'signalbox-')), 'socket');
  const server = createServer((message, response) => {
    void answer(message, claim).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await listen(server, path);
  server.unref();
  return {
    path,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      if (!isShort) await rm(dirname(path), { recursive: true, force: true });
    },
  };
}

async function answer(message: IncomingMessage, claim: ClaimMore) {
  try {
    if (message.method !== 'POST' || message.url !== '/claim') return { status: 404, body: { error: 'POST /claim' } };
    const more = readBy(request, JSON.parse(await bodyOf(message)), { what: 'a claim' });
    const told = await claim(more);
    return { status: 200, body: { claimed: more, ...(told as object | undefined) } };
  } catch (error) {
    if (!(error instanceof SignalboxError))
      return {
        status: 409,
        body: {
          error: {
            code: 'STATE',
            message: text(error),
            next: 'The run is being stopped; its next run claims this from the start.',
          },
        },
      };
    const { code, message: said, next, field } = error;
    return { status: 400, body: { error: { code, message: said, next, ...(field === undefined ? {} : { field }) } } };
  }
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of message) {
    bytes += (part as Buffer).length;
    if (bytes > MAX_BODY_BYTES) throw new Error('the request is too large');
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
