import { once } from 'node:events';
import { environment } from '../config/host-environment.ts';
import { ran } from './recorded-shell.ts';

// `mount --daemon` that gets SIGTERM just before it starts the daemon.
const here = environment({ env: process.env, uid: process.getuid?.() ?? 0 });
const { exitCode, err } = await ran(['mount', 's3://b/p', '/tmp/dags', '--daemon'], {
  environment: here,
  self: ['sh', '-c', 'sleep 30', 'dagmount'],
  supervisorProgram: async () => {
    // Signals alone keep no process alive.
    const alive = setInterval(() => undefined, 1000);
    const arrived = once(process, 'SIGTERM');
    process.kill(process.pid, 'SIGTERM');
    await arrived;
    clearInterval(alive);
    return undefined;
  },
});
process.stderr.write(err);
process.exitCode = exitCode;
