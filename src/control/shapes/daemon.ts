import * as z from 'zod/mini';

export const logLevels = ['error', 'warn', 'info', 'debug', 'trace'] as const;

export const logLevelRequestShape = z.strictObject({ level: z.enum(logLevels) });

export const logLevelShape = z.strictObject({
  level: z.enum(logLevels),
  /** What it was until now. */
  was: z.enum(logLevels),
});

const optionShape = z.strictObject({
  name: z.string(),
  /** As it was written; null where it has none. */
  value: z.nullable(z.union([z.string(), z.array(z.string())])),
  from: z.enum(['flag', 'environment', 'file', 'default']),
  /** Which flag, variable, or line of a file. */
  origin: z.string(),
});

/** What the daemon was told, and by what. Passwords in addresses are replaced by stars. */
export const configShape = z.strictObject({
  mount: z.strictObject({ id: z.string(), source: z.string(), target: z.string() }),
  options: z.array(optionShape),
  /** Where the mount shows several trees, what each has of its own; the options above hold for all else. */
  trees: z.optional(
    z.array(z.strictObject({ path: z.string(), source: z.string(), options: z.array(optionShape) })),
  ),
});

/** OpenAPI 3.1. */
export const openApiShape = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.looseObject({})),
});

export type LogLevel = (typeof logLevels)[number];
export type LogLevelSet = z.infer<typeof logLevelShape>;
export type DaemonConfig = z.infer<typeof configShape>;
