import { optionOf } from './options.ts';
import { describeOrigin } from './origin.ts';
import type { ResolvedOption } from './resolve.ts';
import { yaml } from './yaml.ts';

/** Cannot be set in a file. */
const LEFT_OUT: ReadonlySet<string> = new Set(['config', 'print-config']);

/** The configuration as YAML that --config takes, each line with where its value came from as a comment. */
export function printedConfig(
  mount: { readonly source: string; readonly target: string; readonly id: string },
  options: readonly ResolvedOption[],
): string {
  const shown = options.filter(({ name }) => !LEFT_OUT.has(name));
  const lines = shown.map((option) => {
    const { name, text } = option;
    return { text: text === undefined ? `# ${name}:` : `${name}: ${scalar(text)}`, option };
  });
  const width = Math.min(48, Math.max(...lines.map(({ text }) => text.length)));
  return [
    `# dagmount mount ${mount.source} ${mount.target}`,
    `# mount id ${mount.id}`,
    ...lines.map(({ text, option }) => `${text.padEnd(width)}  # ${origin(option)}`),
    '',
  ].join('\n');
}

function origin({ name, text, origin }: ResolvedOption): string {
  const said = describeOrigin(origin);
  return text === undefined ? `${said}: ${optionOf(name).default}` : said;
}

/** On one line. --config takes every scalar as it is written, so that none needs quotes to stay a text. */
function scalar(text: string | readonly string[]): string {
  const options = {
    schema: 'failsafe',
    collectionStyle: 'flow',
    lineWidth: 0,
    flowCollectionPadding: false,
  } as const;
  return yaml().stringify(text, options).trimEnd();
}
