#!/usr/bin/env node
// Must come first: from here on SIGUSR1 opens no debugger in this process.
import '../host/no-debugger.ts';

import { nodeCommand } from '../host/node-command.ts';
import { heedEarlySignals } from './early-signals.ts';
import { loadServer } from './load-server.ts';
import { loadSupervisor } from './load-supervisor.ts';
import { isSupervised } from './supervisor-link.ts';

/** What a mount is only asked about: nothing is served that would have to be looked after. */
const QUESTIONS = new Set(['--daemon', '--print-config', '--help', '-h']);

const [command, ...args] = process.argv.slice(2);
if (command === 'mount') heedEarlySignals();
if (command === 'mount' && !isSupervised(process.env) && !args.some((arg) => QUESTIONS.has(arg))) {
  // Before anything else is loaded: it is the server that needs it, in a process of its own.
  const { becomeSupervisorOf } = await loadSupervisor();
  becomeSupervisorOf([...nodeCommand(), ...process.argv.slice(1)]);
}
const { startCli } = await import('./start-cli.ts');
startCli(loadServer);
