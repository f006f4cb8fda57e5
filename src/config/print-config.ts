import type { ShownTreeOptions } from './mount-config.ts';
import { optionOf } from './options/options.ts';
import { describeOrigin } from './origin.ts';
import type { ResolvedOption } from './resolve.ts';
import { yaml } from './yaml.ts';

/** Options that a file cannot set. */
const LEFT_OUT: ReadonlySet<string> = new Set(['config', 'print-config']);

/** Formats the configuration as YAML for --config. A comment on each line names the origin of the value. */
export function printedConfig(
  mount: { readonly source: string; readonly target: string; readonly id: string },
  options: readonly ResolvedOption[],
  trees: readonly ShownTreeOptions[] = [],
): string {
  const shown = options.filter(({ name }) => !LEFT_OUT.has(name));
  return [
    `# dagmount mount ${trees.length === 0 ? `${mount.source} ` : ''}${mount.target}`,
    `# mount id ${mount.id}`,
    ...optionLines(shown),
    ...(trees.length === 0 ? [] : ['trees:', ...trees.flatMap(treeLines)]),
    '',
  ].join('\n');
}

function optionLines(options: readonly ResolvedOption[]): readonly string[] {
  const lines = options.map((option) => {
    const { name, text } = option;
    return { text: text === undefined ? `# ${name}:` : `${name}: ${scalar(text)}`, option };
  });
  const width = Math.min(48, Math.max(0, ...lines.map(({ text }) => text.length)));
  return lines.map(({ text, option }) => `${text.padEnd(width)}  # ${origin(option)}`);
}

/** Formats a tree with the options that the tree sets itself; all others come from the mount. */
function treeLines({ path, source, options }: ShownTreeOptions): readonly string[] {
  const own = [`source: ${scalar(source)}`, ...optionLines(options)];
  return [`  - path: ${scalar(path)}`, ...own.map((line) => `    ${line}`)];
}

function origin({ name, text, origin }: ResolvedOption): string {
  const said = describeOrigin(origin);
  return text === undefined ? `${said}: ${optionOf(name).default}` : said;
}

/** Formats a value on one line. --config reads every scalar as text, so no scalar needs quotes. */
function scalar(text: string | readonly string[]): string {
  const options = {
    schema: 'failsafe',
    collectionStyle: 'flow',
    lineWidth: 0,
    flowCollectionPadding: false,
  } as const;
  return yaml().stringify(text, options).trimEnd();
}
