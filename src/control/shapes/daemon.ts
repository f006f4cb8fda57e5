import * as z from 'zod/mini';

export const logLevels = ['error', 'warn', 'info', 'debug', 'trace'] as const;

export const logLevelRequestShape = z.strictObject({ level: z.enum(logLevels) });

export const logLevelShape = z.strictObject({
  level: z.enum(logLevels),
  /** The previous level. */
  was: z.enum(logLevels),
});

const optionShape = z.strictObject({
  name: z.string(),
  /** The value as it was written; null if the option has no value. */
  value: z.nullable(z.union([z.string(), z.array(z.string())])),
  from: z.enum(['flag', 'environment', 'file', 'default']),
  /** The flag, variable, or line of a file that sets it. */
  origin: z.string(),
});

/** The options of the daemon, and their origins. Passwords in addresses are replaced by stars. */
export const configShape = z.strictObject({
  mount: z.strictObject({ id: z.string(), source: z.string(), target: z.string() }),
  options: z.array(optionShape),
  /**
   * If the mount shows several trees: the options that each tree sets itself. All other options of a tree are
   * above.
   */
  trees: z.optional(
    z.array(z.strictObject({ path: z.string(), source: z.string(), options: z.array(optionShape) })),
  ),
});

/** The OpenAPI 3.1 document of the control socket. */
export const openApiShape = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.looseObject({})),
});

export type LogLevel = (typeof logLevels)[number];
export type LogLevelSet = z.infer<typeof logLevelShape>;
export type DaemonConfig = z.infer<typeof configShape>;
