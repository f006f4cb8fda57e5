import type { Clock as AnyClock } from '../base/clock.ts';
import type { Logger as AnyLogger } from '../base/logger.ts';

/** What the cache uses of a clock. */
export type Clock = Pick<AnyClock, 'now' | 'sleep'>;

/** What the cache uses of a logger. */
export type Logger = Pick<AnyLogger, 'info' | 'warn'>;
