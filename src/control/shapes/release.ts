import * as z from 'zod/mini';
import { count, time } from './values.ts';

/**
 * Maximum number of characters of users' texts: a message may have 16 KiB, and is part of each status. A
 * longer author or message is cut; a longer URL becomes null.
 */
export const MOST_AUTHOR = 200;
export const MOST_MESSAGE = 2000;
export const MOST_URL = 2000;

/** A step of an environment: its release and its author. Texts of users are not sanitized. */
const stepFields = {
  seq: count,
  /** The id of the release. */
  id: z.string().check(z.regex(/^sha256-[0-9a-f]{64}$/)),
  author: z.string(),
  message: z.string(),
  /** The git commit of the deployed files. */
  commit: z.nullable(z.string()),
  /** The URL of the CI run that deployed it, or of its merge request. */
  url: z.nullable(z.string()),
  created: time,
  /** The signatures by allowed signers; empty if no file of allowed signers was given. */
  signedBy: z.array(
    z.strictObject({
      /** The fingerprint of the key, as ssh-keygen -l shows it. */
      fingerprint: z.string(),
      /** The principals of the line in the file of allowed signers. */
      principals: z.string(),
    }),
  ),
};

export const releaseStepShape = z.strictObject(stepFields);

export const releaseShape = z.strictObject({
  /** The environment. */
  ref: z.string(),
  ...stepFields,
  /** The release that will be shown from the instant `at` on; null if there is no such release. */
  armed: z.nullable(z.strictObject({ ...stepFields, at: time })),
});

/** The release of an earlier publication. */
export const pastReleaseShape = z.strictObject({
  seq: stepFields.seq,
  id: stepFields.id,
  author: stepFields.author,
  message: stepFields.message,
});

/** The content of a held ref, as far as it could be read. It is not verified. */
export const heldStepShape = z.strictObject({ seq: count, id: stepFields.id });

export type ReleaseView = z.infer<typeof releaseShape>;
export type ReleaseStepView = z.infer<typeof releaseStepShape>;
export type PastReleaseView = z.infer<typeof pastReleaseShape>;
