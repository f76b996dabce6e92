import type { z } from 'zod';

/** A rule that both readers of a resource hold: the API server by its CEL text, everything else by `holds`. */
export interface SchemaRule<T> {
  /** CEL over `self` (Kubernetes x-kubernetes-validations). */
  readonly rule: string;
  readonly message: string;
  readonly holds: (value: T) => boolean;
}

/** The part of a rule that the API server reads. */
export type CelRule = Pick<SchemaRule<unknown>, 'rule' | 'message'>;

/**
 * Attaches one check to a schema: `problemOf` here, and `rules` for the API server, as near to it as CEL comes.
 * @param problemOf what is wrong with a value, or undefined.
 */
export function withCheck<S extends z.ZodType>(
  schema: S,
  problemOf: (value: z.output<S>) => string | undefined,
  rules: readonly CelRule[],
): S {
  const checked = schema.superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  return checked.meta({ ...schema.meta(), 'x-kubernetes-validations': rules });
}

/** Text of a form that `message` says in words, where the API server would show a bare regular expression. */
export function textOf(schema: z.ZodString, form: RegExp, message: string): z.ZodString {
  const rule = `self.matches('${form.source.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}')`;
  return withRules(schema, [{ rule, message, holds: (text) => form.test(text) }]);
}

/** Attaches rules to a schema: checked here on parsing, and written into the CRD for the API server. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly SchemaRule<z.output<S>>[]): S {
  const checked = schema.superRefine((value, context) => {
    for (const { message, holds } of rules) {
      if (!holds(value)) context.addIssue({ code: 'custom', message });
    }
  });
  return checked.meta({
    ...schema.meta(),
    'x-kubernetes-validations': rules.map(({ rule, message }) => ({ rule, message })),
  });
}

/** A list without duplicates, which the API server refuses by the list type. */
export function setOf<S extends z.ZodArray<z.ZodString>>(list: S): S {
  return list
    .superRefine((items, context) => {
      if (new Set(items).size < items.length)
        context.addIssue({ code: 'custom', message: 'each may be named only once' });
    })
    .meta({ ...list.meta(), 'x-kubernetes-list-type': 'set' });
}

/** A list whose items differ in `key`, which the API server holds by the list type. */
export function mapOf<K extends string, S extends z.ZodArray<z.ZodType<Readonly<Record<K, string>>>>>(
  key: K,
  list: S,
): S {
  return list
    .superRefine((items, context) => {
      if (new Set(items.map((item) => item[key])).size < items.length)
        context.addIssue({ code: 'custom', message: `each ${key} may be given only once` });
    })
    .meta({ ...list.meta(), 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });
}

/** Exactly one of the fields is given. */
export function exactlyOneOf<T extends object>(...fields: (keyof T & string)[]): SchemaRule<T> {
  return {
    rule: `[${fields.map((field) => `has(self.${field})`).join(', ')}].exists_one(given, given)`,
    message: `exactly one of ${fields.join(', ')} must be given`,
    holds: (value) => fields.filter((field) => value[field] !== undefined).length === 1,
  };
}
