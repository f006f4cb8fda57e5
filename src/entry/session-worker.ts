import { serveKernel } from './serve-kernel.ts';

/** The session worker: the thread that answers the kernel, where that is done without libfuse. */
serveKernel({ resend: true });
