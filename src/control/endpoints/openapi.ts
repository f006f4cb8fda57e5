import * as z from 'zod/mini';
import { openApiShape } from '../shapes/daemon.ts';
import { noQueryShape, problemDetailsShape } from '../shapes/status.ts';
import { type Route, route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Creates the route of the OpenAPI document. The document includes this route, too. It is made when it is first
 * requested: that takes some 20 ms, and few mounts are ever asked for it.
 */
export function openApiRoute(version: string, others: readonly Route[]): Route {
  let document: Json | undefined;
  const itself: Route = route({
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This description',
    query: noQueryShape,
    answers: { 200: openApiShape },
    handle: () => {
      document ??= openApiOf(version, [...others, itself]);
      return { status: 200, json: document };
    },
  });
  return itself;
}

/**
 * Returns the OpenAPI 3.1 document of a table of routes: paths, parameters, bodies and answers, from their
 * shapes.
 */
export function openApiOf(version: string, routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const row of routes) {
    const path = row.path.replaceAll('...}', '}');
    paths[path] ??= {};
    const of = paths[path];
    of[row.method.toLowerCase()] = operationOf(row, idOf(row.method, path));
    if (row.method === 'GET') of.head = headOf(row, idOf('HEAD', path));
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'dagmount',
      version,
      description:
        'The control socket of one mount. Times are RFC 3339 in UTC, sizes bytes, durations seconds.',
    },
    servers: [{ url: 'http://localhost', description: 'Over the Unix socket; any host name works' }],
    paths,
    components: { schemas: { Problem: schemaOf(problemDetailsShape, 'output') } },
  };
}

function operationOf(row: Route, operationId: string): Json {
  const { summary, body, answers, media } = row;
  const responses = Object.fromEntries(
    Object.entries(answers).map(([status, shape]) => [status, responseOf(Number(status), shape, media)]),
  );
  return {
    operationId,
    summary,
    parameters: parametersOf(row),
    ...(body !== undefined && {
      requestBody: { required: false, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: { ...responses, '4XX': PROBLEM, '5XX': PROBLEM },
  };
}

/** Describes HEAD of a route: like GET, but without a body in the answer. */
function headOf(row: Route, operationId: string): Json {
  const statuses = [...Object.keys(row.answers), '4XX', '5XX'];
  const responses = Object.fromEntries(statuses.map((status) => [status, { description: 'As for GET' }]));
  return { operationId, summary: row.summary, parameters: parametersOf(row), responses };
}

const PROBLEM: Json = {
  description: 'Problem details (RFC 9457)',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

function responseOf(status: number, shape: z.ZodMiniType | undefined, media: readonly string[]): Json {
  if (shape !== undefined) {
    const type = 'application/json';
    const isProblem = status >= 400;
    return {
      description: isProblem ? 'The condition is not met' : 'The requested data',
      content: { [type]: { schema: schemaOf(shape, 'output') } },
    };
  }
  if (status === 304) return { description: 'The tree is the same as in If-None-Match' };
  const content = Object.fromEntries(media.map((type) => [type, { schema: { type: 'string' } }]));
  return { description: 'The requested data', content };
}

function parametersOf({ path, query }: Route): readonly Json[] {
  const inPath = [...path.matchAll(/\{([a-z]+)(?:\.\.\.)?\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: name === 'id' ? { type: 'string', pattern: '^[0-9a-f]{32}$' } : { type: 'string', minLength: 1 },
  }));
  const { properties = {} } = schemaOf(query, 'input') as { readonly properties?: Record<string, Json> };
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    // Declares a number, although the shape declares the text that a query sends.
    schema: name === 'limit' ? { type: 'integer', minimum: 1, maximum: 10_000 } : schema,
  }));
  return [...inPath, ...inQuery];
}

function schemaOf(shape: z.ZodMiniType, io: 'input' | 'output'): Json {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
  });
  return schema;
}

function idOf(method: string, path: string): string {
  const words = path.split('/').map((part) => part.replace(/[{}]/g, '').replace(/\W/g, '_'));
  return [method.toLowerCase(), ...words.filter((word) => word !== '' && word !== 'v1')].join('_');
}
