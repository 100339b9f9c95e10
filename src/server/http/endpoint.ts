/**
 * An endpoint of the API as data: its address, who may use it, what it takes and what it answers. Requests are read by
 * these descriptions, and the OpenAPI document is made from them, so that neither can say what the other does not.
 */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { readBy } from '../../invalid.ts';
import { plainData } from '../../task/plain-data.ts';
import type { Role } from '../auth/access.ts';
import { HttpProblem, type ProblemCode } from '../problems.ts';

/** What an endpoint answers when all goes well. */
export type Answer =
  | { readonly json: z.ZodType; readonly status?: 200 | 201 }
  /** Something else than JSON, and what it is. */
  | { readonly media: string; readonly description: string };

/** A body, as it is described and as it is read. */
export interface Body<B> {
  readonly schema: z.ZodType;
  readonly read: (given: unknown) => B;
  /** The most that it may have, in bytes. */
  readonly limit?: number;
}

/** What an endpoint was asked, read and checked. */
export interface Asked<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** The description of an endpoint. */
export interface EndpointSpec<P, Q, B> {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below `/api/v1`, with its parameters in braces: `/tasks/{id}`. */
  readonly path: string;
  /** The name of the operation in generated clients. */
  readonly name: string;
  readonly role: Role;
  readonly summary: string;
  readonly tag: string;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body<B>;
  readonly answer: Answer;
  /** A second form of the answer, asked for by the query. */
  readonly also?: Answer;
  /** The problems that this endpoint has beside those that all have. */
  readonly problems?: readonly ProblemCode[];
  /** Answers a value for JSON, a `Serialized`, or sends something by itself and answers undefined. */
  readonly handle: (asked: Asked<P, Q, B>) => Promise<unknown>;
}

/** An endpoint, whatever it takes. */
export type Endpoint = Omit<EndpointSpec<unknown, unknown, unknown>, 'handle'> & {
  readonly handle: (asked: Asked<never, never, never>) => Promise<unknown>;
};

/** JSON that was made already. */
export class Serialized {
  readonly text: string;

  constructor(value: unknown, text = JSON.stringify(value)) {
    this.text = text;
  }

  /** Of text that is JSON. */
  static of(text: string): Serialized {
    return new Serialized(undefined, text);
  }
}

/** Describes an endpoint; its handler is typed by what it takes. */
export function endpoint<P = undefined, Q = undefined, B = undefined>(spec: EndpointSpec<P, Q, B>): Endpoint {
  return spec;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Adds endpoints to an app, below `prefix`. */
export function addEndpoints(app: FastifyInstance, prefix: string, endpoints: readonly Endpoint[]): void {
  for (const spec of endpoints) {
    app.route({
      method: spec.method,
      url: `${prefix}${spec.path.replace(/\{(\w+)\}/g, ':$1')}`,
      config: { role: spec.role },
      ...(spec.body?.limit === undefined ? {} : { bodyLimit: spec.body.limit }),
      handler: async (request, reply) => {
        const asked = { ...readParts(spec, request), request, reply };
        const answer = await spec.handle(asked as Asked<never, never, never>);
        if (answer === undefined || reply.sent) return reply;
        void reply.code('json' in spec.answer ? (spec.answer.status ?? 200) : 200);
        void reply.header('cache-control', 'no-store').type(JSON_TYPE);
        return answer instanceof Serialized ? answer.text : JSON.stringify(answer);
      },
    });
  }
}

function readParts(spec: Endpoint, request: FastifyRequest) {
  return {
    params: read(spec.params, request.params, 'the address'),
    query: read(spec.query, request.query, 'the query'),
    body: readBody(spec, request),
  };
}

function read(schema: z.ZodType | undefined, given: unknown, what: string): unknown {
  return schema === undefined ? undefined : readBy(schema, plainData({ ...(given as object) }), { what });
}

function readBody({ body, method }: Endpoint, request: FastifyRequest): unknown {
  if (body === undefined) {
    if (method === 'GET' || request.body === undefined || request.body === null || isEmpty(request.body))
      return undefined;
    throw new HttpProblem('BAD_REQUEST', 'Nothing is to be sent here.', { next: 'Leave the body out.' });
  }
  if (request.body === undefined) {
    throw new HttpProblem('BAD_REQUEST', 'The body is missing.', {
      next: 'Send JSON, with `Content-Type: application/json`.',
    });
  }
  return body.read(request.body);
}

function isEmpty(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.keys(body).length === 0;
}
