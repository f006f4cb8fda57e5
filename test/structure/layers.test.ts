import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { repository } from '../support/repository.ts';

/** What every folder of src/ may import. */
const floor = 'base';

/**
 * What a folder of src/ may import besides itself and the floor: only what stands above it. docs/architecture.md gives the
 * reasons.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: [],
  tree: [],
  release: ['tree'],
  config: [],
  host: ['config'],
  store: [],
  deploy: ['release', 'store'],
  cache: ['host', 'store'],
  source: ['tree', 'release', 'config', 'store'],
  sync: ['tree', 'store', 'cache', 'source'],
  state: ['tree', 'host', 'sync'],
  session: ['wire', 'tree', 'host', 'cache'],
  mount: ['config', 'host', 'cache', 'session'],
  takeover: [
    'wire',
    'tree',
    'config',
    'host',
    'store',
    'cache',
    'source',
    'sync',
    'state',
    'session',
    'mount',
  ],
  control: ['host'],
  views: ['tree', 'config', 'host', 'cache', 'sync', 'session', 'takeover', 'control'],
  entry: ['tree', 'host', 'store', 'cache', 'source', 'sync', 'session'],
  server: [
    'config',
    'host',
    'store',
    'cache',
    'source',
    'sync',
    'session',
    'mount',
    'takeover',
    'control',
    'views',
    'entry',
  ],
  cli: ['tree', 'release', 'config', 'host', 'deploy', 'mount', 'takeover', 'control', 'server'],
};

const mostLines = 400;
const mostTransportLines = 500;
/** Each file below native/supervisor: a program of its own, and what a server hands over to it. */
const mostSupervisorLines = 300;

interface Source {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
}

function sources(folder: string, ending: RegExp): readonly Source[] {
  return readdirSync(join(repository, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const text = readFileSync(file, 'utf8');
      const path = relative(repository, file).split(sep).join('/');
      return { path, text, lines: text.split('\n').length - 1 };
    });
}

/** Static and dynamic imports, re-exports, require(), and the files that Workers and child processes are started from. */
const references = [
  /(?:^|[\s;}])(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]/g,
  /(?:^|[\s;}])import\s*['"]([^'"]+)['"]/g,
  /\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g,
  /\brequire\s*\(\s*['"`]([^'"`]+)['"`]/g,
  /\bnew\s+URL\s*\(\s*['"`]([^'"`]+)['"`]\s*,\s*import\.meta\.url/g,
];

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

function relativeReferences(source: Source, patterns: readonly RegExp[] = references): readonly string[] {
  const text = withoutComments(source.text);
  return patterns
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map((match) => match[1] ?? '')
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => join(dirname(source.path), specifier).split(sep).join('/'));
}

/** 'tree' for src/tree/build.ts, 'server.ts' for src/server/server.ts, undefined outside of src. */
function layer(path: string): string | undefined {
  const [top, first] = path.split('/');
  return top === 'src' ? first : undefined;
}

const typescript = sources('src', /\.[cm]?[jt]s$/);
const native = sources('native', /\.(c|cc|h)$/);

test('every folder of src has its row in the table of layers', () => {
  const folders = readdirSync(join(repository, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  assert.deepEqual(
    folders.filter((folder) => mayImport[folder] === undefined),
    [],
  );
});

test('a folder of src imports only the layers that the table names', () => {
  const violations = typescript.flatMap((source) => {
    const from = layer(source.path);
    if (from === undefined) return [];
    const allowed = new Set([from, floor, ...(mayImport[from] ?? [])]);
    return relativeReferences(source)
      .filter((target) => !allowed.has(layer(target) ?? target))
      .map((target) => `${source.path} -> ${target}`);
  });
  assert.deepEqual(violations, []);
});

test('nothing in src imports tests, benchmarks or scripts', () => {
  const outside = typescript.flatMap((source) =>
    relativeReferences(source)
      .filter((target) => /^(test|bench|scripts|dist)\//.test(target))
      .map((target) => `${source.path} -> ${target}`),
  );
  assert.deepEqual(outside, []);
});

test('no source file reads a switch that only tests set', () => {
  const switched = typescript.filter(({ text }) => /\bTEST_[A-Z]/.test(text)).map(({ path }) => path);
  assert.deepEqual(switched, []);
});

test('a folder may import only those above it in the table', () => {
  const order = Object.keys(mayImport);
  const upward = order.flatMap((folder, at) =>
    (mayImport[folder] ?? [])
      .filter((other) => order.indexOf(other) >= at)
      .map((other) => `${folder} -> ${other}`),
  );
  assert.deepEqual(upward, []);
});

test('no file lies loose in src, in no room', () => {
  const loose = typescript.map(({ path }) => path).filter((path) => path.split('/').length === 2);
  assert.deepEqual(loose, []);
});

test('no file imports itself by way of others', () => {
  // What is loaded on demand (import()) is there by the time that it is asked for.
  const [fromClause, bare] = references;
  const imports = new Map(
    typescript.map((source) => [
      source.path,
      relativeReferences(source, [fromClause!, bare!]).map((target) => target.replace(/\.js$/, '.ts')),
    ]),
  );
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    assert.equal(at, -1, [...way.slice(at), path].join(' -> '));
    if (done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
});

test('no source file is longer than a reader can take in', () => {
  const long = [...typescript, ...native]
    .filter((source) => source.lines > mostLines)
    .map((source) => `${source.path}: ${source.lines} lines`);
  assert.deepEqual(long, []);
});

test('the native transport and the supervisor stay under their bounds', () => {
  const isSupervisor = ({ path }: Source): boolean => path.startsWith('native/supervisor/');
  const linesOf = (of: readonly Source[]): number => of.reduce((sum, source) => sum + source.lines, 0);
  const transport = linesOf(native.filter((source) => !isSupervisor(source)));
  assert.ok(transport < mostTransportLines, `native/ has ${transport} lines`);
  for (const { path, lines } of native.filter(isSupervisor)) {
    assert.ok(lines < mostSupervisorLines, `${path} has ${lines} lines`);
  }
});

test('files are named in kebab case, after what they hold', () => {
  const named = typescript
    .map((source) => source.path.split('/').at(-1) ?? '')
    .filter(
      (name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.[cm]?[jt]s$/.test(name) || /util|helper|manager/.test(name),
    );
  assert.deepEqual(named, []);
});

test('sources are ES modules in TypeScript', () => {
  assert.deepEqual(
    typescript.map((source) => source.path).filter((path) => !path.endsWith('.ts')),
    [],
  );
});
