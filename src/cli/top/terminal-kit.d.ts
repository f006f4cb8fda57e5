/** The part of terminal-kit that is used; the package has no types of its own. */
declare module 'terminal-kit' {
  namespace kit {
    interface Attributes {
      readonly bold?: boolean;
      readonly dim?: boolean;
      readonly inverse?: boolean;
      readonly color?: string;
    }

    interface Terminal {
      /** Undefined while the terminal does not say its size. */
      width: number | undefined;
      height: number | undefined;
      fullscreen(on: boolean): void;
      hideCursor(on: boolean): void;
      grabInput(on: boolean): void;
      styleReset(): void;
      on(event: 'key', listener: (name: string) => void): void;
      on(event: 'resize', listener: (width: number, height: number) => void): void;
    }

    interface ScreenBuffer {
      put(
        at: { readonly x: number; readonly y: number; readonly attr: Attributes; readonly wrap: false },
        text: string,
      ): void;
      fill(options: { readonly char: string; readonly attr: Attributes }): void;
      /** `delta`: writes only the cells that differ from the last drawing. */
      draw(options: { readonly delta: boolean }): void;
    }
  }

  const kit: {
    /** The terminal of this process, created on first access. */
    readonly terminal: kit.Terminal;
    readonly ScreenBuffer: new (options: {
      readonly dst: kit.Terminal;
      readonly width: number;
      readonly height: number;
    }) => kit.ScreenBuffer;
  };
  export = kit;
}
