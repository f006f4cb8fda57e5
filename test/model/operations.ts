import fc from 'fast-check';

/** Keys here are latin1: one character a byte, so that a test can write keys that are not text. */
export type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly body: string }
  | { readonly kind: 'delete'; readonly key: string }
  /** Puts many files into one directory. */
  | { readonly kind: 'fill'; readonly key: string; readonly count: number; readonly body: string }
  /** Deletes everything whose key begins with `key`. */
  | { readonly kind: 'clear'; readonly key: string };

/** The operations on the store between two publications. */
export type Step = readonly Operation[];
export type History = readonly Step[];

/** The content of one bucket: bodies by key. */
export type Bucket = Map<string, string>;

/** The single objects that an operation writes (a body) or removes (undefined), in order. */
export function writesOf(
  bucket: ReadonlyMap<string, string>,
  operation: Operation,
): readonly (readonly [key: string, body: string | undefined])[] {
  switch (operation.kind) {
    case 'put':
      return [[operation.key, written(operation.body)]];
    case 'delete':
      return bucket.has(operation.key) ? [[operation.key, undefined]] : [];
    case 'fill':
      return Array.from({ length: operation.count }, (_, number) => [
        `${operation.key}/${number}.py`,
        `${operation.body}${number}`,
      ]);
    case 'clear':
      return [...bucket.keys()]
        .filter((key) => key.startsWith(operation.key))
        .map((key) => [key, undefined] as const);
    default:
      return operation satisfies never;
  }
}

export function applyTo(bucket: Bucket, operation: Operation): void {
  for (const [key, body] of writesOf(bucket, operation)) {
    if (body === undefined) bucket.delete(key);
    else bucket.set(key, body);
  }
}

/** What tests may put into one kind of store: a test cannot ask a store to list a key that it refuses. */
export interface KeySpace {
  readonly names: readonly string[];
  /** Whether keys that end in a slash may have content. */
  readonly fullMarkers: boolean;
  /** The most components of a key. */
  readonly deepest: number;
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** Few names, so that they meet; around the slash in byte order, in two cases, two normal forms and several scripts. */
const plainNames = ['a', 'b', 'A', 'a.', 'a-b', 'a0', 'é', 'e\u0301', '日本', '😀', '.a', '...', 'a b'].map(
  latin1,
);
const quotedNames = ['%41', '+', '&lt;', '"', "'", '*?[', '~', '#', ';', 'x'.repeat(255)];
const hostileNames = [
  ...['', '.', '..', 'x'.repeat(256), '\\', '\x01', '\n', '\r', '\x7f', '\u2028', '\ufffd'].map(latin1),
  ...['\0', 'n\0l', '\xff', '\xc3', '\xed\xa0\x80', '\xc0\xaf', '\xf4\x90\x80\x80'],
];

/** Keys that any store takes. */
export const plainKeys: KeySpace = {
  names: [...plainNames, ...plainNames, ...quotedNames],
  fullMarkers: false,
  deepest: 40,
};
/** Keys for a store that keeps every byte. */
export const hostileKeys: KeySpace = {
  names: [...plainNames, ...plainNames, ...quotedNames, ...hostileNames],
  fullMarkers: true,
  deepest: 300,
};

/** Few bodies, so that the same content comes back; some of equal size, some of different sizes, some empty. */
const bodies = ['', '', 'x = 1\n', 'x = 2\n', 'x = 10\n', 'zeros 4096', 'zeros 70000'];

/** The bytes of a body: a long body has a short name here, so that a failure is readable. */
function written(body: string): string {
  const zeros = /^zeros (\d+)$/.exec(body)?.[1];
  return zeros === undefined ? body : '\0'.repeat(Number(zeros));
}

function keyOf({ names, deepest }: KeySpace): fc.Arbitrary<string> {
  const name = fc.constantFrom(...names);
  // Half of the keys consist of three short names: only keys that meet can conflict.
  const near = fc.array(fc.constantFrom('a', 'b', latin1('é')), { minLength: 1, maxLength: 3 });
  const far = fc.array(name, { minLength: 1, maxLength: 4 });
  const deep = fc
    .tuple(fc.integer({ min: 5, max: deepest }), name)
    .map(([depth, last]) => [...Array.from({ length: depth - 1 }, () => 'a'), last]);
  return fc
    .oneof({ weight: 6, arbitrary: near }, { weight: 6, arbitrary: far }, { weight: 1, arbitrary: deep })
    .map((components) => components.join('/'));
}

function operationOf(space: KeySpace): fc.Arbitrary<Operation> {
  const key = keyOf(space);
  const body = fc.constantFrom(...bodies);
  const marker = space.fullMarkers ? fc.constantFrom('', '', 'x') : fc.constant('');
  return fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('put' as const), key, body }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('put' as const),
        key: key.map((path) => `${path}/`),
        body: marker,
      }),
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('fill' as const),
        key: fc.constantFrom('a', 'b', 'a/b', 'wide'),
        count: fc.integer({ min: 1, max: 120 }),
        body: fc.constantFrom('one', 'two'),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('clear' as const),
        key: fc.constantFrom('', 'a', 'a/', 'b/', 'a/b', 'wide'),
      }),
    },
  );
}

export function historyOf(space: KeySpace, steps = { most: 6, operations: 12 }): fc.Arbitrary<History> {
  const step = fc.array(operationOf(space), { minLength: 1, maxLength: steps.operations });
  return fc.array(step, { minLength: 1, maxLength: steps.most });
}

/** The same operation below a directory. */
export function below(directory: string, operation: Operation): Operation {
  return { ...operation, key: `${directory}/${operation.key}` };
}
