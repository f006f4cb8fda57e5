import type { Clock as AnyClock } from '../base/clock.ts';
import type { Logger as AnyLogger } from '../base/logger.ts';

/** The part of a clock that the cache uses. */
export type Clock = Pick<AnyClock, 'now' | 'sleep'>;

/** The part of a logger that the cache uses. */
export type Logger = Pick<AnyLogger, 'info' | 'warn'>;
