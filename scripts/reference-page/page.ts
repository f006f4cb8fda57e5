import { sections } from './sections.ts';

const WIDTH = 120;

/** All of docs/reference.md. */
export function referencePage(): string {
  const made = sections.map((section) => section());
  const contents = made.map(({ title }) => `- [${title}](#${title.toLowerCase().replaceAll(' ', '-')})\n`);
  return [
    '# Reference\n',
    '<!-- Made by scripts/reference from the source. Change the source, not this page. -->\n',
    contents.join(''),
    ...made.map(({ title, text, table }) => `## ${title}\n\n${wrapped(text)}\n${table}`),
  ].join('\n');
}

function wrapped(text: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) as string;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return `${lines.join('\n')}\n`;
}
