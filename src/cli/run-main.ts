import { nodeCommand } from '../host/node-command.ts';
import type { ServerPort } from '../server/server-port.ts';
import { heedEarlySignals } from './early-signals.ts';
import { loadSupervisor } from './load-supervisor.ts';
import { isSupervised } from './supervisor-link.ts';

/**
 * Flags with which `dagmount mount` does not serve in this process, so that the process needs no supervisor.
 */
const QUESTIONS = new Set(['--daemon', '--print-config', '--help', '-h']);

/** Runs the command line in this process, or becomes the supervisor of a mount. */
export async function runMain(loadServer: () => Promise<ServerPort>): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  if (command === 'mount') heedEarlySignals();
  if (command === 'mount' && !isSupervised(process.env) && !args.some((arg) => QUESTIONS.has(arg))) {
    // Becomes the supervisor before anything else is loaded, because only the server, a separate process,
    // needs the rest.
    const { becomeSupervisorOf } = await loadSupervisor();
    becomeSupervisorOf([...nodeCommand(), ...process.argv.slice(1)]);
  }
  const { startCli } = await import('./start-cli.ts');
  startCli(loadServer);
}
