import type kit from 'terminal-kit';
import type { Line, Style } from './line.ts';
import type { Size } from './view.ts';

/**
 * A full-screen view. It owns the whole terminal from openScreen() until close(), and restores the terminal
 * however the process ends.
 */
export interface Screen {
  size(): Size;
  /** Writes only the cells that changed. */
  draw(lines: readonly Line[]): void;
  /**
   * Restores the terminal and stops the process as a shell's job; takes the terminal again when the process continues.
   */
  suspend(): void;
  close(): void;
}

export interface ScreenOptions {
  readonly colours: boolean;
  readonly onKey: (name: string) => void;
  readonly onResize: () => void;
}

const COLOURED: Readonly<Record<Style, kit.Attributes>> = {
  plain: {},
  bold: { bold: true },
  dim: { dim: true },
  title: { inverse: true },
  good: { color: 'green' },
  warning: { color: 'yellow' },
  bad: { color: 'red', bold: true },
};
const COLOURLESS: Readonly<Record<Style, kit.Attributes>> = {
  ...COLOURED,
  good: {},
  warning: {},
  bad: { bold: true },
};

/** Opens a screen. Loads the terminal library only now, because only a full-screen view needs it. */
export async function openScreen(options: ScreenOptions): Promise<Screen> {
  const { default: library } = await import('terminal-kit');
  return new TerminalScreen(library, options);
}

class TerminalScreen implements Screen {
  readonly #library: typeof kit;
  readonly #terminal: kit.Terminal;
  readonly #styles: Readonly<Record<Style, kit.Attributes>>;
  #buffer: kit.ScreenBuffer | undefined;
  #size: Size = { columns: 0, rows: 0 };
  #isOpen = false;
  /** An arrow function, so that the same listener can be removed. */
  readonly #restore = (): void => this.#leave();

  constructor(library: typeof kit, { colours, onKey, onResize }: ScreenOptions) {
    this.#library = library;
    this.#terminal = library.terminal;
    this.#styles = colours ? COLOURED : COLOURLESS;
    this.#terminal.on('key', onKey);
    this.#terminal.on('resize', onResize);
    // Restores the terminal whatever ends the process, except SIGKILL. "exit" alone would come too late: an
    // unexpected error would already be printed, to a screen that is about to vanish.
    process.on('uncaughtExceptionMonitor', this.#restore);
    process.on('exit', this.#restore);
    this.#enter();
  }

  size(): Size {
    // Assumes 80 × 24 if the terminal reports 0, as a serial line or the terminal of a script may. Otherwise
    // terminal-kit would have no size, and draw nothing.
    this.#terminal.width ??= 80;
    this.#terminal.height ??= 24;
    return { columns: this.#terminal.width, rows: this.#terminal.height };
  }

  draw(lines: readonly Line[]): void {
    if (!this.#isOpen) return;
    const size = this.size();
    const isSame =
      this.#buffer !== undefined && size.columns === this.#size.columns && size.rows === this.#size.rows;
    if (!isSame) {
      this.#size = size;
      this.#buffer = new this.#library.ScreenBuffer({
        dst: this.#terminal,
        width: size.columns,
        height: size.rows,
      });
    }
    const buffer = this.#buffer as kit.ScreenBuffer;
    // Fills the buffer, because terminal-kit's default is transparent: blank cells would keep their old
    // content.
    buffer.fill({ char: ' ', attr: {} });
    lines.forEach((line, y) => {
      let x = 0;
      for (const { text, style } of line) {
        if (x >= size.columns) break;
        buffer.put({ x, y, attr: { ...this.#styles[style] }, wrap: false }, text);
        x += text.length;
      }
    });
    buffer.draw({ delta: isSame });
  }

  suspend(): void {
    this.#leave();
    process.kill(process.pid, 'SIGSTOP');
    this.#enter();
  }

  close(): void {
    this.#leave();
    process.off('uncaughtExceptionMonitor', this.#restore);
    process.off('exit', this.#restore);
  }

  #enter(): void {
    this.#isOpen = true;
    this.#buffer = undefined;
    this.#terminal.fullscreen(true);
    this.#terminal.hideCursor(true);
    if (process.stdin.isTTY) this.#terminal.grabInput(true);
  }

  #leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#terminal.grabInput(false);
    this.#terminal.styleReset();
    this.#terminal.hideCursor(false);
    this.#terminal.fullscreen(false);
  }
}
