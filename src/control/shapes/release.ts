import * as z from 'zod/mini';
import { count, time } from './values.ts';

/** What people wrote is cut here, in characters: a message may have 16 KiB, and comes with each poll of status. */
export const MOST_AUTHOR = 200;
export const MOST_MESSAGE = 2000;
export const MOST_URL = 2000;

/** A step of an environment: which release it put in force, and who says so. Texts of people are as they were written. */
const stepFields = {
  seq: count,
  /** Of the release. */
  id: z.string().check(z.regex(/^sha256-[0-9a-f]{64}$/)),
  author: z.string(),
  message: z.string(),
  /** Of git. */
  commit: z.nullable(z.string()),
  /** Of the run that deployed it, or of its merge request. */
  url: z.nullable(z.string()),
  created: time,
  /** Empty where no file of allowed signers was given. */
  signedBy: z.array(
    z.strictObject({
      /** As ssh-keygen -l shows it. */
      fingerprint: z.string(),
      /** Of the line of the file. */
      principals: z.string(),
    }),
  ),
};

export const releaseStepShape = z.strictObject(stepFields);

export const releaseShape = z.strictObject({
  /** The environment. */
  ref: z.string(),
  ...stepFields,
  /** What is shown from an instant on; null: nothing is armed. */
  armed: z.nullable(z.strictObject({ ...stepFields, at: time })),
});

/** Of a publication of the past. */
export const pastReleaseShape = z.strictObject({
  seq: stepFields.seq,
  id: stepFields.id,
  author: stepFields.author,
  message: stepFields.message,
});

/** Of a ref that is held, as far as it could be read; nothing of it is vouched for. */
export const heldStepShape = z.strictObject({ seq: count, id: stepFields.id });

export type ReleaseView = z.infer<typeof releaseShape>;
export type ReleaseStepView = z.infer<typeof releaseStepShape>;
export type PastReleaseView = z.infer<typeof pastReleaseShape>;
