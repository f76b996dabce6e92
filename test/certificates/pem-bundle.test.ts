import { expect, it } from 'vitest';
import { createAuthority } from '../../src/certificates/issue-certificates.ts';
import { parseCertificates, toPem } from '../../src/certificates/pem-bundle.ts';

it('reads those up to the first that does not parse, without what else was written', async () => {
  const term = { fromMs: Date.now(), lifetimeMs: 3_600_000 };
  const [one, two] = await Promise.all(['one', 'two'].map((name) => createAuthority(name, term)));
  const [first = '', second = ''] = [one?.certPem, two?.certPem];
  const broken = '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n';
  const parsed = toPem(parseCertificates(`# ours\n${first}${second}${broken}${first}`));
  expect(parsed).toBe(toPem(parseCertificates(first + second)));
  expect(parseCertificates(first + second)).toHaveLength(2);
  expect(parseCertificates(broken + first)).toEqual([]);
});
