/** The OpenAPI 3.1 document, made from the descriptions by which requests are read. */

import { z } from 'zod';
import { taskJsonSchema } from '../task/json-schema.ts';
import { taskBody } from './contract/asked.ts';
import type { Answer, Endpoint } from './http/endpoint.ts';
import { PROBLEM_STATUS, PROBLEM_TYPE, type ProblemCode } from './problems.ts';

type Json = Record<string, unknown>;

/** Problems that every endpoint may have. */
const COMMON: readonly ProblemCode[] = ['UNAUTHORIZED', 'REDIS_UNREACHABLE', 'INTERNAL'];

const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong, in a sentence.'),
    code: z.string().describe('One of the codes of docs/http-api.md.'),
    field: z.string().optional().describe('The field that is wrong, as a path like `claims.write[0]`.'),
    next: z.string().describe('What to do now.'),
  })
  .meta({ id: 'Problem' });

const TAGS: Readonly<Record<string, string>> = {
  tasks: 'Submit tasks, look at them, steer them.',
  queue: 'The queue as a whole.',
  dashboard: 'The dashboard itself.',
};

/** Describes endpoints. */
export function openapi(endpoints: readonly Endpoint[], version: string): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  for (const one of endpoints) {
    const path = (paths[`/api/v1${one.path}`] ??= {});
    path[one.method.toLowerCase()] = operation(one, schemas);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Signalbox',
      version,
      description: 'Runs repository tasks in parallel, without two of them on one branch or one file at once.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The dashboard that serves this document.' }],
    security: [{ bearer: [] }, {}],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'SIGNALBOX_TOKEN, or SIGNALBOX_READ_TOKEN to look only; nothing where no token is set.',
        },
      },
      schemas: schemas.all(),
    },
  };
}

function operation(one: Endpoint, schemas: Schemas): Json {
  const { name, summary, tag, role, params, query, headers = {}, body } = one;
  const parameters = [
    ...parametersOf(params, 'path', schemas),
    ...parametersOf(query, 'query', schemas),
    ...Object.entries(headers).map(([header, description]) => ({
      name: header,
      in: 'header',
      required: false,
      description,
      schema: { type: 'string' },
    })),
  ];
  return {
    operationId: name,
    summary,
    description: role === 'write' ? 'Needs the role `write`.' : 'Needs the role `read`.',
    tags: [tag],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schemas.input(body.schema) } } } }),
    responses: { ...answers(one, schemas), ...problems(one, schemas) },
  };
}

function answers({ answer, also }: Endpoint, schemas: Schemas): Json {
  const forms = [answer, ...(also === undefined ? [] : [also])].map((one) => contentOf(one, schemas));
  const content = Object.fromEntries(forms.flatMap((form) => Object.entries(form)));
  return { 200: { description: 'json' in answer ? 'The answer.' : answer.description, content } };
}

function contentOf(answer: Answer, schemas: Schemas): Json {
  if ('json' in answer) return { 'application/json': { schema: schemas.output(answer.json) } };
  const isBinary = answer.media === 'application/octet-stream';
  return { [answer.media]: { schema: isBinary ? {} : { type: 'string' } } };
}

function problems({ problems: own = [], role, params, query, body }: Endpoint, schemas: Schemas): Json {
  const takesSomething = params !== undefined || query !== undefined || body !== undefined;
  const codes: ProblemCode[] = [
    ...COMMON,
    ...(takesSomething ? (['INVALID'] as const) : []),
    ...(role === 'write' ? (['FORBIDDEN', 'CROSS_ORIGIN'] as const) : []),
    ...own,
  ];
  const byStatus = group(codes);
  return Object.fromEntries(
    [...byStatus].map(([status, some]) => [
      status,
      {
        description: some.map((code) => `\`${code}\``).join(', '),
        content: { [PROBLEM_TYPE]: { schema: schemas.output(problemSchema) } },
      },
    ]),
  );
}

function group(codes: readonly ProblemCode[]): Map<number, ProblemCode[]> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(codes)) {
    const status = PROBLEM_STATUS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query', schemas: Schemas): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemas.plain(schema) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

/** The schemas of a document: those with a name once, under it. */
class Schemas {
  readonly #named = new Map<string, Json>();

  /** What is answered. */
  output(schema: z.ZodType): Json {
    const { id } = schema.meta() ?? {};
    if (id === undefined) return this.plain(schema, 'output');
    if (!this.#named.has(id)) {
      // One with a name comes as a definition and a reference to that.
      const { $defs = {} } = this.plain(schema, 'output') as { readonly $defs?: Readonly<Record<string, Json>> };
      this.#named.set(id, $defs[id] ?? {});
    }
    return { $ref: `#/components/schemas/${id}` };
  }

  /** What is sent: tasks by their published schema, the rest as it is. */
  input(schema: z.ZodType): Json {
    if (schema !== taskBody) return this.plain(schema);
    const task = this.#task();
    return { oneOf: [task, { type: 'array', minItems: 1, maxItems: 10_000, items: task }] };
  }

  /** A schema by itself. */
  plain(schema: z.ZodType, io: 'input' | 'output' = 'input'): Json {
    const { $schema: _draft, ...made } = z.toJSONSchema(schema, {
      io,
      target: 'draft-2020-12',
      unrepresentable: 'any',
      override: ({ jsonSchema }) => {
        // A later version may answer more, and clients must bear that.
        if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    });
    return made;
  }

  all(): Json {
    return Object.fromEntries([...this.#named].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  #task(): Json {
    const name = 'TaskInput';
    if (!this.#named.has(name)) {
      const { $schema: _draft, $defs = {}, ...made } = taskJsonSchema() as { $schema?: string; $defs?: Json };
      this.#named.set(name, moved(made) as Json);
      for (const [key, value] of Object.entries($defs)) this.#named.set(nameOf(key), moved(value) as Json);
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}

/** `$defs` of the published schema are components here. */
function moved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moved);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === '$ref' && typeof inner === 'string'
        ? [key, inner.replace(/^#\/\$defs\/(.*)$/, (_all, name: string) => `#/components/schemas/${nameOf(name)}`)]
        : [key, moved(inner)],
    ),
  );
}

function nameOf(definition: string): string {
  return definition === '__schema0' ? 'JsonValue' : definition;
}
