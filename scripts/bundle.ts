// Bundles src/ into dist/bundle/, one file for each main and chunks that they share: `node dist/scripts/bundle.js`.
//
// Node.js resolves, reads and compiles each module by itself: a mount loaded over 700 of them, which took most of its
// start. rolldown is used because it needs no install script, and takes TypeScript and CommonJS as they are. Stack
// traces name the lines of src/ if Node.js runs with --enable-source-maps.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { repository } from '../test/support/repository.ts';

const output = join(repository, 'dist/bundle');

/** The mains, by their names in dist/bundle/: src/server/entries.ts finds the mains of threads and processes there. */
const mains = ['cli/main', 'entry/session-worker', 'entry/source-worker', 'entry/fuse-native-process'];

/** fuse-native is optional and compiled; terminal-kit loads its parts by computed names; few users need a queue. */
const external = ['fuse-native', 'terminal-kit', '@aws-sdk/client-sqs'];

/** The modules that every command loads, without any that needs a package. */
const everyCommand =
  /\/src\/cli\/(start-cli|run|process-shell|failure|exit-codes|command-error|error-codes|daemon-channel|supervisor-link|paint|format|commands)\.ts$/;

/** The modules that the commands which ask a daemon share; each of these commands is short. */
const askingCommands =
  /\/src\/(cli\/client\/|control\/(client|client-error)\.ts|config\/command-line\.ts|cli\/(progress-line|display-width)\.ts)/;

const CREATE_REQUIRE = 'createRequire(import.meta.url)';
const DECLARATION = `const require = ${CREATE_REQUIRE};`;

/**
 * src/ loads some packages when they are first needed, by a `require` that it creates, which no bundler follows. This
 * replaces it. Blanks keep the length, so that the source map stays valid.
 */
const followedRequire: Plugin = {
  name: 'followed-require',
  transform(code, id) {
    if (!id.startsWith(join(repository, 'src/'))) return undefined;
    const followed = code
      .replaceAll(DECLARATION, ' '.repeat(DECLARATION.length))
      .replaceAll(`${CREATE_REQUIRE}('@`, `${'require'.padEnd(CREATE_REQUIRE.length)}('@`);
    return followed === code ? undefined : { code: followed, map: null };
  },
};

/** The licences of the bundled packages must travel with them. Packages that have the same text share it. */
async function notices(chunks: readonly OutputChunk[]): Promise<string> {
  const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/;
  const modules = chunks.flatMap(({ moduleIds }) => moduleIds);
  const folders = new Set(modules.map((id) => folder.exec(id)?.[0]).filter((found) => found !== undefined));
  const packagesOf = new Map<string, string[]>();
  for (const { name, text } of await Promise.all([...folders].sort().map(licenceOf))) {
    packagesOf.set(text, [...(packagesOf.get(text) ?? []), name]);
  }
  return [...packagesOf]
    .map(([text, names]) => `${names.join(', ')}\n\n${text}\n`)
    .join(`\n${'-'.repeat(80)}\n\n`);
}

async function licenceOf(folder: string): Promise<{ readonly name: string; readonly text: string }> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((each) => /^licen[cs]e/i.test(each));
  const text =
    file === undefined ? `Licence: ${license}` : (await readFile(join(folder, file), 'utf8')).trim();
  return { name: `${name} ${version}`, text };
}

const bundle = await rolldown({
  cwd: repository,
  input: Object.fromEntries(mains.map((main) => [main, join(repository, 'src', `${main}.ts`)])),
  platform: 'node',
  // No main imports another one, even if they share modules: to load a main is to run it.
  preserveEntrySignatures: 'strict',
  external,
  plugins: [followedRequire],
});
await rm(output, { recursive: true, force: true });
const written = await bundle.write({
  dir: output,
  format: 'esm',
  sourcemap: true,
  // V8 scans a file when it is loaded, comments included.
  comments: { legal: true, annotation: false, jsdoc: false },
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  codeSplitting: {
    groups: [
      // Otherwise a module that an index.ts exports and one main uses lands beside that main, for all importers of the
      // index.
      { name: 'tree', test: /\/src\/tree\// },
      // Each file costs a start of Node.js half a millisecond: modules that nearly all mains load stay together.
      { name: 'base', test: /\/src\/(base|host)\/(?!socket-record)/ },
      { name: 'cli', test: everyCommand },
      { name: 'client', test: askingCommands },
    ],
  },
});
await bundle.close();
const chunks = written.output.filter((each) => each.type === 'chunk');
for (const main of mains) {
  const path = join(repository, 'src', `${main}.ts`);
  const holders = chunks.filter(({ moduleIds }) => moduleIds.includes(path)).map(({ fileName }) => fileName);
  const loaders = chunks.filter(
    ({ facadeModuleId, imports, dynamicImports }) =>
      facadeModuleId !== path && [...imports, ...dynamicImports].some((name) => holders.includes(name)),
  );
  for (const { fileName } of loaders) throw new Error(`to load ${fileName} would run ${main}`);
}
await writeFile(join(output, 'THIRD-PARTY-NOTICES.txt'), await notices(chunks));
