import { isGiven } from '../../config/command-line.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { ControlClient } from '../../control/client.ts';
import { ClientError } from '../../control/client-error.ts';
import type { Changes, Generations, Status } from '../../control/shapes/status.ts';
import { givenOf, oneClient } from '../client/client-command.ts';
import { shownAnswer } from '../client/shown-answer.ts';
import { listenForStop } from '../client/stop-signals.ts';
import { whichTreeError } from '../client/tree-path.ts';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RunCommand, Shell } from '../shell.ts';
import { figuresOf } from './figures.ts';
import type { Moment } from './moment.ts';
import { Scrape } from './scrape.ts';
import { openScreen } from './screen.ts';
import { viewLines } from './view.ts';

const REFRESH_MS = 1_000;
/** Time limit of one request: a daemon that takes longer is shown as silent. */
const DEADLINE_MS = 3_000;
/**
 * A daemon that is silent for longer counts as ended. A server that takes over answers again within this
 * time.
 */
const GIVE_UP_MS = 5_000;
/**
 * Number of failed attempts that are also required, because a suspended host makes no attempt during that
 * time.
 */
const GIVE_UP_ASKED = 3;
/** The number of scrapes kept: those of one minute, and the scrape before them. */
const MOST_SCRAPES = 61;
/**
 * Maximum numbers of history entries, and of changed paths of the newest entry: more than fit on a screen.
 */
const MOST_HISTORY = 30;
const MOST_PATHS = 100;

const QUIT_KEYS: ReadonlySet<string> = new Set(['q', 'Q', 'CTRL_C', 'CTRL_D', 'ESCAPE']);

export const run: RunCommand = async (args, shell) => {
  const given = givenOf(args, { name: 'top', isOfTree: true });
  if (isGiven(given.flags, 'json')) {
    throw new ConfigError(
      'usage',
      'There is no --json of dagmount top.',
      'See dagmount status --json, dagmount metrics --json and dagmount events --json.',
    );
  }
  if (!shell.out.isTerminal) {
    throw new CommandError(
      'no-terminal',
      'The output is no terminal, and dagmount top needs one.',
      'See dagmount status for the same in plain lines.',
    );
  }
  const client = oneClient(given, shell, 'top');
  const signals = listenForStop();
  try {
    await watch(client, shell, signals.signal);
  } finally {
    signals.release();
  }
  return exitCodes.ok;
};

/**
 * Draws the screen again and again until a key or a signal ends the command. Rejects with ClientError if the
 * daemon ends.
 */
async function watch(client: ControlClient, shell: Shell, stopped: AbortSignal): Promise<void> {
  const watched = new Watched(client, shell);
  // If even the first request fails, reports that without touching the terminal.
  await watched.ask().catch(async (error: unknown) => {
    throw (await whichTreeError(client, error)) ?? error;
  });
  const quit = new AbortController();
  const stop = AbortSignal.any([stopped, quit.signal, shell.out.lost]);
  const screen = await openScreen({
    colours: shell.out.colours,
    onKey: (name) => {
      if (QUIT_KEYS.has(name)) quit.abort();
      else if (name === 'CTRL_Z') suspend();
    },
    onResize: () => draw(),
  });
  const draw = (): void => screen.draw(viewLines(watched.view(), screen.size()));
  const suspend = (): void => {
    screen.suspend();
    draw();
  };
  process.on('SIGTSTP', suspend);
  try {
    while (!stop.aborted) {
      draw();
      await shell.delay(REFRESH_MS, stop);
      if (!stop.aborted) await watched.askAgain();
    }
  } finally {
    process.off('SIGTSTP', suspend);
    screen.close();
  }
}

/** Queries a daemon, and keeps its answers for the view. */
class Watched {
  readonly #client: ControlClient;
  readonly #shell: Shell;
  readonly #scrapes: Scrape[] = [];
  #moment: Moment | undefined;
  #answeredAt = 0;
  #silentFor: number | undefined;
  #askedInVain = 0;

  constructor(client: ControlClient, shell: Shell) {
    this.#client = client;
    this.#shell = shell;
  }

  async ask(): Promise<void> {
    const [status, text, { items: history }] = await Promise.all([
      this.#get<Status>('/v1/status'),
      this.#client.text('/metrics', { deadlineMs: DEADLINE_MS }),
      this.#get<Generations>('/v1/generations', { limit: String(MOST_HISTORY) }),
    ]);
    const scrape = new Scrape(text, this.#shell.now());
    this.#moment = { status, scrape, history, changes: await this.#changes(history) };
    this.#scrapes.push(scrape);
    if (this.#scrapes.length > MOST_SCRAPES) this.#scrapes.shift();
    this.#answeredAt = this.#shell.now();
    this.#silentFor = undefined;
    this.#askedInVain = 0;
  }

  /**
   * Queries the daemon again. A daemon may leave some queries unanswered; after that this rejects with
   * ClientError.
   */
  async askAgain(): Promise<void> {
    try {
      await this.ask();
    } catch (error) {
      const silent = this.#shell.now() - this.#answeredAt;
      this.#askedInVain += 1;
      // An error of another class does not mean that the daemon is silent, so another attempt would not help.
      if (!(error instanceof ClientError)) throw error;
      if (silent > GIVE_UP_MS && this.#askedInVain >= GIVE_UP_ASKED) throw error;
      this.#silentFor = silent / 1000;
    }
  }

  view(): Parameters<typeof viewLines>[0] {
    return {
      moment: shownAnswer(this.#moment as Moment),
      figures: figuresOf(this.#scrapes),
      now: this.#shell.wallClock(),
      silentFor: this.#silentFor,
    };
  }

  /** Returns the changes between the last two publications, which it requests once. */
  async #changes([newest, before]: Generations['items']): Promise<Moment['changes']> {
    if (newest === undefined || before === undefined) return undefined;
    const known = this.#moment?.history[0];
    if (known?.number === newest.number && known.id === newest.id) return this.#moment?.changes;
    const path = `/v1/generations/${newest.id}/changes`;
    return await this.#get<Changes>(path, { since: before.id, limit: String(MOST_PATHS) }).catch(
      () => undefined,
    );
  }

  async #get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return await this.#client.ask<T>(path, { query, deadlineMs: DEADLINE_MS });
  }
}
