const colour = process.env.NO_COLOR === undefined && process.stdout.isTTY === true;
const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = (text: string): string => paint(1, text);
export const dim = (text: string): string => paint(2, text);
export const green = (text: string): string => paint(32, text);

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function sayFact(name: string, text: string): void {
  say(`  ${bold(name.padEnd(9))} ${text}`);
}

export function sayCommand(text: string): void {
  say(dim(`  $ ${text}`));
}

/** What a command printed. */
export function sayOutput(text: string): void {
  say(text.trimEnd().replace(/^/gm, '    '));
}

export function sayDone(text: string): void {
  say(`  ${green('✔')} ${text}`);
}

/** The seconds since a reading of performance.now(). */
export function secondsSince(start: number): string {
  return bold(`${((performance.now() - start) / 1000).toFixed(2)} s`);
}
