import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { failuresPage } from '../../scripts/failures-page.ts';
import { failureCatalogue } from '../../src/failures/catalogue.ts';
import type { FailureDefinition } from '../../src/failures/catalogue.ts';
import { failure, failureKind, RefwardenError, toFailure } from '../../src/failures/failure.ts';

const definitions = Object.entries<FailureDefinition>(failureCatalogue);

describe('failure catalogue', () => {
  it('is what the reference page says', () => {
    const page = readFileSync(new URL('../../docs/reference/failures.md', import.meta.url), 'utf8');
    expect(page).toBe(failuresPage());
  });

  it.each(definitions)('%s has a stable name and two whole sentences', (code, { summary, remedy }) => {
    expect(code).toMatch(/^(?:[A-Z][a-z]+)+$/);
    expect(summary).toMatch(/^[A-Z].*\.$/);
    expect(remedy).toMatch(/^[A-Z].*\.$/);
  });

  it('says of nothing that failed for certain that it may pass when tried again', () => {
    const hopeful = definitions.filter(([, { kind, retryable }]) => kind === 'failed' && retryable);
    expect(hopeful).toEqual([]);
  });

  it('knows the kind of a code', () => {
    expect(failureKind('SignatureMissing')).toBe('failed');
    expect(failureKind('RegistryTimeout')).toBe('inconclusive');
    expect(failureKind('PolicyInvalid')).toBe('invalid');
    expect(failureKind('InternalError')).toBe('internal');
  });
});

describe('toFailure', () => {
  it('keeps code and message of our own error and leaves its cause behind', () => {
    const error = new RefwardenError(
      'RegistryTimeout',
      'ghcr.io did not answer.',
      new Error('password=secret'),
    );
    expect(toFailure(error)).toEqual(failure('RegistryTimeout', 'ghcr.io did not answer.'));
    expect(error.cause).toBeInstanceOf(Error);
  });

  it.each<[string, unknown]>([
    ['an error', new Error('connect ECONNREFUSED 10.0.0.1, token=secret')],
    [
      'an error dressed up as ours',
      Object.assign(new Error('secret'), { code: 'SignatureMissing', name: 'RefwardenError' }),
    ],
    ['a value with code and message', { code: 'NotPinned', message: 'secret' }],
    ['a string', 'secret'],
    ['undefined', undefined],
  ])('T31 names %s InternalError and tells nothing of it', (_, thrown) => {
    expect(toFailure(thrown)).toEqual({
      code: 'InternalError',
      message: 'Refwarden failed in a way that it should not.',
    });
  });
});
