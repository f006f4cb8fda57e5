import type { LeveledLogger } from '../base/logger.ts';
import { describeOrigin } from '../config/origin.ts';
import type { ResolvedOption } from '../config/resolve.ts';
import type { ProcessViews } from '../control/endpoints/process.ts';
import type { DaemonConfig, LogLevel } from '../control/shapes/daemon.ts';

export interface ProcessObserved {
  readonly mount: DaemonConfig['mount'];
  readonly options: readonly ResolvedOption[];
  readonly log: LeveledLogger;
}

/** The process, as the control socket shows it. */
export class DaemonProcess implements ProcessViews {
  readonly #observed: ProcessObserved;

  constructor(observed: ProcessObserved) {
    this.#observed = observed;
  }

  config(): DaemonConfig {
    const { mount, options } = this.#observed;
    return {
      mount,
      options: options.map(({ name, text, origin }) => ({
        name,
        value:
          text === undefined
            ? null
            : typeof text === 'string'
              ? withoutSecrets(text)
              : text.map(withoutSecrets),
        from: origin.kind,
        origin: describeOrigin(origin),
      })),
    };
  }

  setLogLevel(level: LogLevel): LogLevel {
    const { log } = this.#observed;
    const was = log.level as LogLevel;
    log.level = level;
    return was;
  }
}

/** An address may carry a password. */
function withoutSecrets(text: string): string {
  return text.replace(/(\/\/)[^/@]*@/g, '$1***@');
}
