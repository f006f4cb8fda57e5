import { serveKernel } from './serve-kernel.ts';

/**
 * The session worker of the kernel driver: the thread that answers the kernel. With fuse-native, libfuse does
 * that.
 */
serveKernel({ resend: true });
