import { z } from 'zod';

/** Key of a ConfigMap. */
export const configMapKey = z.string().min(1).max(253);

export const trustFile = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
  .describe('A file name within the trust directory of the process (serve --trust-dir).');
