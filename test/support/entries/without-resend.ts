import { serveKernel } from '../../../src/entry/serve-kernel.ts';

/** A session worker for kernels before Linux 6.9, which do not resend requests. */
serveKernel({ resend: false });
