import type { LeveledLogger } from '../base/logger.ts';
import type { ShownTreeOptions } from '../config/mount-config.ts';
import { describeOrigin } from '../config/origin.ts';
import type { ResolvedOption } from '../config/resolve.ts';
import type { ProcessViews } from '../control/endpoints/process.ts';
import type { DaemonConfig, LogLevel } from '../control/shapes/daemon.ts';

export interface ProcessObserved {
  readonly mount: DaemonConfig['mount'];
  readonly options: readonly ResolvedOption[];
  /** The options that each tree has of its own, if the mount has several trees; otherwise empty. */
  readonly trees: readonly ShownTreeOptions[];
  readonly log: LeveledLogger;
}

/** The process, as the control socket shows it. */
export class DaemonProcess implements ProcessViews {
  readonly #observed: ProcessObserved;

  constructor(observed: ProcessObserved) {
    this.#observed = observed;
  }

  config(): DaemonConfig {
    const { mount, options, trees } = this.#observed;
    return {
      mount,
      options: options.map(optionView),
      ...(trees.length > 0 && {
        trees: trees.map(({ path, source, options: own }) => ({
          path,
          source: withoutSecrets(source),
          options: own.map(optionView),
        })),
      }),
    };
  }

  setLogLevel(level: LogLevel): LogLevel {
    const { log } = this.#observed;
    const was = log.level as LogLevel;
    log.level = level;
    return was;
  }
}

function optionView({ name, text, origin }: ResolvedOption): DaemonConfig['options'][number] {
  const value =
    text === undefined ? null : typeof text === 'string' ? withoutSecrets(text) : text.map(withoutSecrets);
  return { name, value, from: origin.kind, origin: describeOrigin(origin) };
}

/** Hides user name and password of the addresses in a text. */
function withoutSecrets(text: string): string {
  return text.replace(/(\/\/)[^/@]*@/g, '$1***@');
}
