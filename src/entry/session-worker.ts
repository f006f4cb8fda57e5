import { serveKernel } from './serve-kernel.ts';

/** The session worker: the thread that answers the kernel, unless libfuse does. */
serveKernel({ resend: true });
