import { nodeCommand } from '../host/node-command.ts';
import type { ServerPort } from '../server/server-port.ts';
import { heedEarlySignals } from './early-signals.ts';
import { loadSupervisor } from './load-supervisor.ts';
import { isSupervised } from './supervisor-link.ts';

/** What a mount is only asked about: nothing is served that would have to be looked after. */
const QUESTIONS = new Set(['--daemon', '--print-config', '--help', '-h']);

/** This process as the command: it becomes the supervisor of a mount, or runs the command line. */
export async function runMain(loadServer: () => Promise<ServerPort>): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  if (command === 'mount') heedEarlySignals();
  if (command === 'mount' && !isSupervised(process.env) && !args.some((arg) => QUESTIONS.has(arg))) {
    // Before anything else is loaded: it is the server that needs it, in a process of its own.
    const { becomeSupervisorOf } = await loadSupervisor();
    becomeSupervisorOf([...nodeCommand(), ...process.argv.slice(1)]);
  }
  const { startCli } = await import('./start-cli.ts');
  startCli(loadServer);
}
