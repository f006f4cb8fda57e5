import { join } from 'node:path';
import xterm from '@xterm/headless';
import type { Cell } from '../../scripts/lib/terminal-picture.ts';
import { startChild } from './child.ts';
import { repository } from './repository.ts';
import { type Cleanup, defer } from './temporary.ts';
import { waitFor } from './wait-for.ts';

/** The state in which a command left its terminal. */
export interface TerminalEnd {
  /** The exit code, or minus the number of the signal that ended the command. */
  readonly code: number;
  /** Whether the line discipline (echo, canonical mode and the rest) is as before. */
  readonly restored: boolean;
}

/** A command in a terminal of its own, and what that terminal shows. */
export interface TerminalRun {
  /** The lines of the screen, without trailing blanks. */
  screen(): string;
  /** The same, cell by cell. */
  cells(): readonly (readonly Cell[])[];
  /** Whether the command uses the alternate screen; the normal one returns when the command ends. */
  isFullScreen(): boolean;
  isCursorHidden(): boolean;
  type(text: string): void;
  resize(columns: number, rows: number): void;
  signal(name: NodeJS.Signals): void;
  /** Waits until the screen shows the pattern. */
  shows(pattern: RegExp): Promise<RegExpMatchArray>;
  readonly end: Promise<TerminalEnd>;
}

export function runInTerminal(
  test: Cleanup,
  command: readonly string[],
  options: { readonly columns?: number; readonly rows?: number; readonly env?: NodeJS.ProcessEnv } = {},
): TerminalRun {
  const { columns = 100, rows = 40, env = process.env } = options;
  // With 0, the command does not learn the size.
  const terminal = new xterm.Terminal({ cols: columns || 80, rows: rows || 24, allowProposedApi: true });
  const child = startChild(
    'python3',
    [join(repository, 'scripts/lib/in-terminal.py'), String(columns), String(rows), ...command],
    { stdin: 'pipe', env: { ...env, TERM: 'xterm-256color' } },
  );
  defer(test, () => {
    child.kill('SIGKILL');
    terminal.dispose();
  });
  let written = 0;
  const feed = (): void => {
    const text = child.stdout().slice(written);
    written += text.length;
    terminal.write(text);
  };
  child.process.stdout?.on('data', () => queueMicrotask(feed));
  const tell = (message: object): void => {
    child.process.stdin?.write(`${JSON.stringify(message)}\n`);
  };
  const screen = (): string => {
    const { active } = terminal.buffer;
    const lines = Array.from({ length: terminal.rows }, (_, row) =>
      (active.getLine(active.baseY + row)?.translateToString(true) ?? '').trimEnd(),
    );
    return lines.join('\n').trimEnd();
  };
  const cells = (): readonly (readonly Cell[])[] => {
    const { active } = terminal.buffer;
    return Array.from({ length: terminal.rows }, (_, row) => {
      const line = active.getLine(active.baseY + row);
      return Array.from({ length: terminal.cols }, (_, column) => {
        const cell = line?.getCell(column);
        const characters = cell?.getChars() ?? '';
        return {
          text: characters === '' ? ' ' : characters,
          colour: cell?.isFgPalette() ? cell.getFgColor() : undefined,
          bold: cell?.isBold() !== 0,
          dim: cell?.isDim() !== 0,
          inverse: cell?.isInverse() !== 0,
        };
      });
    });
  };
  const end = child.exit.then(async () => {
    feed();
    await new Promise<void>((resolve) => terminal.write('', resolve));
    return JSON.parse(child.stderr().trim().split('\n').at(-1) ?? '') as TerminalEnd;
  });
  // Code that awaits `end` gets the error; a command that is killed at a test's end reports nothing.
  end.catch(() => undefined);
  return {
    screen,
    cells,
    isFullScreen: () => terminal.buffer.active.type === 'alternate',
    // The emulator does not report this; DECTCEM hides and shows the cursor.
    isCursorHidden: () =>
      child.stdout().lastIndexOf('\u001b[?25l') > child.stdout().lastIndexOf('\u001b[?25h'),
    type: (text) => tell({ type: text }),
    resize: (toColumns, toRows) => {
      terminal.resize(toColumns, toRows);
      tell({ resize: [toColumns, toRows] });
    },
    signal: (name) => tell({ signal: name }),
    shows: async (pattern) => {
      try {
        return await waitFor(`the screen to show ${pattern}`, () => {
          const found = screen().match(pattern) ?? undefined;
          if (found === undefined && child.process.exitCode !== null)
            throw new Error('the command has ended');
          return found;
        });
      } catch (error) {
        throw new Error(`${String(error)}\n${screen()}\n${child.stderr()}`, { cause: error });
      }
    },
    end,
  };
}
