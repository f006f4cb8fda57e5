import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** What every folder of src/ may import. */
const floor = 'base';

/**
 * What a folder of src/ may import besides itself and the floor: only what stands above it. docs/architecture.md gives the
 * reasons.
 */
export const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  wire: [],
  tree: [],
  release: ['tree'],
  config: [],
  host: ['config'],
  store: [],
  deploy: ['release', 'store'],
  cache: ['host', 'store'],
  source: ['tree', 'release', 'config', 'host', 'store', 'cache'],
  sync: ['tree', 'store', 'cache', 'source'],
  state: ['tree', 'host', 'cache', 'source', 'sync'],
  session: ['wire', 'tree', 'release', 'host', 'cache'],
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
  csi: ['config', 'host', 'control'],
  views: ['tree', 'release', 'config', 'host', 'cache', 'source', 'sync', 'session', 'takeover', 'control'],
  entry: ['tree', 'config', 'host', 'store', 'cache', 'source', 'sync', 'state', 'session'],
  server: [
    'tree',
    'release',
    'config',
    'host',
    'store',
    'cache',
    'source',
    'sync',
    'state',
    'session',
    'mount',
    'takeover',
    'control',
    'views',
    'entry',
  ],
  cli: ['tree', 'release', 'config', 'host', 'deploy', 'mount', 'takeover', 'control', 'csi', 'server'],
};

/** No file may reach this length, nor come near it: a file that was packed to stay below it is as hard to read. */
const mostLines = 400;
const packedLines = mostLines * 0.95;
const mostTransportLines = 500;
/** Each file below native/supervisor: a program of its own, and what a server hands over to it. */
const mostSupervisorLines = 300;
/** All below native/holder: it must outlive every other process, and be right without ever being replaced. */
const mostHolderLines = 200;

interface Source {
  /** Relative to the root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
}

/** The sources below a root, and where they break a rule: one line for each place, empty where there is none. */
export class SourceTree {
  readonly root: string;
  readonly #typescript: readonly Source[];
  readonly #native: readonly Source[];
  readonly #tests: readonly Source[];
  /** Sources of neither the product nor its tests: benchmarks and scripts. */
  readonly #rest: readonly Source[];

  constructor(root: string) {
    this.root = root;
    this.#typescript = this.#sources('src', /\.[cm]?[jt]s$/);
    this.#native = this.#sources('native', /\.(c|cc|h)$/);
    this.#tests = this.#sources('test', /\.[cm]?[jt]s$/);
    this.#rest = ['bench', 'scripts'].flatMap((folder) => this.#sources(folder, /\.[cm]?[jt]s$/));
  }

  withoutRow(): readonly string[] {
    return readdirSync(join(this.root, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && mayImport[entry.name] === undefined)
      .map((entry) => entry.name);
  }

  forbiddenImports(): readonly string[] {
    return this.#typescript.flatMap((source) => {
      const from = layer(source.path);
      if (from === undefined) return [];
      const allowed = new Set([from, floor, ...(mayImport[from] ?? [])]);
      return relativeReferences(source)
        .filter((target) => !allowed.has(layer(target) ?? target))
        .map((target) => `${source.path} -> ${target}`);
    });
  }

  importsFromOutside(): readonly string[] {
    return this.#typescript.flatMap((source) =>
      relativeReferences(source)
        .filter((target) => /^(test|bench|scripts|dist)\//.test(target))
        .map((target) => `${source.path} -> ${target}`),
    );
  }

  loose(): readonly string[] {
    return this.#typescript.map(({ path }) => path).filter((path) => path.split('/').length === 2);
  }

  /** Each cycle as the path from a file back to itself. A module loaded on demand (import()) makes no cycle. */
  cycles(): readonly string[] {
    const [fromClause, bare] = references;
    const imports = new Map(
      this.#typescript.map((source) => [
        source.path,
        relativeReferences(source, [fromClause!, bare!]).map((target) => target.replace(/\.js$/, '.ts')),
      ]),
    );
    const done = new Set<string>();
    const found: string[] = [];
    const visit = (path: string, way: readonly string[]): void => {
      const at = way.indexOf(path);
      if (at >= 0) {
        found.push([...way.slice(at), path].join(' -> '));
        return;
      }
      if (done.has(path)) return;
      for (const next of imports.get(path) ?? []) visit(next, [...way, path]);
      done.add(path);
    };
    for (const path of imports.keys()) visit(path, []);
    return found;
  }

  tooLong(): readonly string[] {
    return [...this.#typescript, ...this.#native, ...this.#tests, ...this.#rest]
      .filter(({ lines }) => lines >= packedLines)
      .map(({ path, lines }) => `${path}: ${lines} lines`);
  }

  tooMuchNative(): readonly string[] {
    const isSupervisor = ({ path }: Source): boolean => path.startsWith('native/supervisor/');
    const isHolder = ({ path }: Source): boolean => path.startsWith('native/holder/');
    const linesOf = (sources: readonly Source[]): number =>
      sources.reduce((sum, { lines }) => sum + lines, 0);
    const transport = linesOf(this.#native.filter((source) => !isSupervisor(source) && !isHolder(source)));
    const holder = linesOf(this.#native.filter(isHolder));
    return [
      ...(holder < mostHolderLines ? [] : [`native/holder: ${holder} lines`]),
      ...(transport < mostTransportLines ? [] : [`native: ${transport} lines`]),
      ...this.#native
        .filter((source) => isSupervisor(source) && source.lines >= mostSupervisorLines)
        .map(({ path, lines }) => `${path}: ${lines} lines`),
    ];
  }

  badlyNamed(): readonly string[] {
    return this.#typescript
      .map(({ path }) => path)
      .filter((path) => {
        const name = path.split('/').at(-1) ?? '';
        return !/^[a-z0-9]+(-[a-z0-9]+)*(\.d)?\.ts$/.test(name) || /util|helper|manager/.test(name);
      });
  }

  /** Files that read a switch in the environment that only tests set. */
  switchedByTests(): readonly string[] {
    return this.#typescript.filter(({ text }) => /\bTEST_[A-Z]/.test(text)).map(({ path }) => path);
  }

  #sources(folder: string, ending: RegExp): readonly Source[] {
    const top = join(this.root, folder);
    if (!existsSync(top)) return [];
    return readdirSync(top, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && ending.test(entry.name))
      .map((entry) => {
        const file = join(entry.parentPath, entry.name);
        const text = readFileSync(file, 'utf8');
        const path = relative(this.root, file).split(sep).join('/');
        return { path, text, lines: text.split('\n').length - 1 };
      });
  }
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

/** 'tree' for src/tree/build.ts, 'loose.ts' for src/loose.ts, undefined outside of src. */
function layer(path: string): string | undefined {
  const [top, first] = path.split('/');
  return top === 'src' ? first : undefined;
}
