/** The form that importing.py parses: every comment line names the module, its version, and the number of lines. */
export function moduleBody(name: string, version: number, code: readonly string[] = []): string {
  const count = 20 + (version % 7) + code.length;
  const comment = `# ${name} version ${version} of ${count} lines`;
  const comments = Array.from({ length: count - code.length }, () => comment);
  return `${[...comments, ...code].join('\n')}\n`;
}

/** By path: modules of the package `shared`. Each imports two others, so that one import loads all. */
export function versionedModules(modules: number, version: number): readonly (readonly [string, string])[] {
  return [
    ['shared/__init__.py', moduleBody('__init__', version)],
    ...Array.from({ length: modules }, (_, index) => moduleNumber(index, modules, version)),
  ];
}

function moduleNumber(index: number, modules: number, version: number): readonly [string, string] {
  const name = (of: number): string => `m${String(of).padStart(4, '0')}`;
  const others = [2 * index + 1, 2 * index + 2].filter((other) => other < modules);
  const code = [...others.map((other) => `from . import ${name(other)}`), `VERSION = ${version}`];
  return [`shared/${name(index)}.py`, moduleBody(name(index), version, code)];
}
