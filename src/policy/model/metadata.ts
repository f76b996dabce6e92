import { z } from 'zod';
import { mapOf } from './rules.ts';

export const apiGroup = 'refwarden.dev';
export const apiVersion = 'v1alpha1';
export const groupVersion = `${apiGroup}/${apiVersion}`;

/** DNS subdomain, as Kubernetes names objects (RFC 1123). */
export const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);

/** What Refwarden reads of ObjectMeta; the rest belongs to Kubernetes. */
export const objectMeta = z.object({
  name: objectName,
  namespace: objectName.optional(),
  generation: z.number().int().optional(),
  uid: z.string().max(128).optional(),
  creationTimestamp: z.string().max(64).nullish(),
});

const isoDateTime = z.iso.datetime({ offset: true });

/** RFC 3339 with seconds and a time zone, as the API server reads the format `date-time`. */
export const dateTime = z
  .string()
  .max(64)
  .refine(
    (text) => /T\d\d:\d\d:\d\d/.test(text) && isoDateTime.safeParse(text).success,
    'must be a time like 2026-12-01T00:00:00Z',
  )
  .meta({ format: 'date-time' });

const condition = z.strictObject({
  type: z.string().max(316).describe('What the condition is about, for example Ready.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  reason: z
    .string()
    .max(1024)
    .describe('Ready, or why not: a failure code, Expired, NothingExcepted, PartlyUnknown.'),
  message: z.string().max(32_768).describe('Why, for people.'),
  lastTransitionTime: dateTime.describe('When the status last changed.'),
  observedGeneration: z.number().int().optional().describe('The generation that this speaks of.'),
});

export const resourceStatus = z
  .strictObject({
    observedGeneration: z.number().int().optional().describe('The generation that the conditions speak of.'),
    conditions: mapOf('type', z.array(condition).max(8)).optional().describe('State of the resource.'),
  })
  .describe('Whether the resource does what it says; Refwarden writes it.');
