import { serveKernel } from '../../../src/entry/serve-kernel.ts';

/** A session worker for kernels before Linux 6.9: they send nothing again. */
serveKernel({ resend: false });
