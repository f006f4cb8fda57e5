import { printable } from '../../base/printable.ts';
import { formatJson } from '../format.ts';
import { paintsFor } from '../paint.ts';
import type { Output } from '../shell.ts';
import { exitCodeOf, type Finding } from './finding.ts';

const NAME_WIDTH = 13;

/** Writes each finding as soon as it is known, because the checks of the store take time. */
export class Report {
  readonly #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  heading(text: string): void {
    this.#out.write(`${paintsFor(this.#out).bold(printable(text))}\n`);
  }

  line({ name, outcome, detail, hint }: Finding): void {
    const { green, yellow, red, dim } = paintsFor(this.#out);
    const sign = { good: green('✓'), doubtful: yellow('!'), bad: red('✗') }[outcome];
    this.#out.write(`${sign} ${name.padEnd(NAME_WIDTH)} ${printable(detail)}\n`);
    if (hint !== undefined) this.#out.write(`${' '.repeat(NAME_WIDTH + 3)}${dim(printable(hint))}\n`);
  }
}

export function jsonReport(source: string | null, findings: readonly Finding[]): string {
  const checks = findings.map(({ name, tree, outcome, detail, hint = null }) => ({
    name,
    ...(tree !== undefined && { tree }),
    outcome,
    detail,
    hint,
  }));
  const report = { source, exitCode: exitCodeOf(findings), checks };
  return formatJson(report);
}
