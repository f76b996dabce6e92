import { z } from 'zod';
import type { SchemaRule } from './rules.ts';

/** As many as one signature may bring. */
const maxThreshold = 8;

export const demand = z.enum(['Required', 'NotRequired']);

/** Whose word is demanded, and what is counted. */
const counted = {
  sct: 'Distinct certificate transparency logs.',
  transparencyLog: 'Distinct transparency logs; several entries of one are one.',
  signedTimestamp: 'Distinct timestamp authorities; several timestamps of one are one.',
} as const;
type Demanded = keyof typeof counted;

const threshold = z.number().int().min(1).max(maxThreshold).optional();

/** A field `thresholds` with a count for each demand. */
export function thresholdsOf<Name extends Demanded>(...names: readonly Name[]) {
  const fields = names.map((name) => [name, threshold.describe(counted[name])]);
  return z
    .strictObject(Object.fromEntries(fields) as Record<Name, typeof threshold>)
    .optional()
    .describe('How many must vouch for what is Required; 1 each by default.');
}

type Demanding<Name extends Demanded> = Readonly<
  Partial<Record<Name, z.output<typeof demand> | undefined>>
> & { readonly thresholds?: Readonly<Partial<Record<Name, number | undefined>>> | undefined };

/** A threshold of what is not required would read like a demand, and be none. */
export function thresholdsNeedDemands<Name extends Demanded>(
  ...names: readonly Name[]
): SchemaRule<Demanding<Name>>[] {
  return names.map((name) => ({
    rule: `!has(self.thresholds) || !has(self.thresholds.${name}) || !has(self.${name}) || self.${name} == 'Required'`,
    message: `thresholds.${name} takes ${name}: Required`,
    holds: (value) => value.thresholds?.[name] === undefined || value[name] !== 'NotRequired',
  }));
}
