import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ensureComponent } from './components/ensure-component.ts';
import { runCommand } from './processes/run-command.ts';
import { makeTemporaryDirectory } from './processes/temporary-directory.ts';
import { startDemoRegistry } from './registries/demo-registry.ts';

/** What the suite leaves out without failing: a registry may lack both (distribution-spec 1.1). */
const optional = /range requests|mount anonymous/;

interface TestCase {
  readonly name: string;
  /** `passed`, `skipped`, `failure`, `error`, or that the settings leave it out. */
  readonly status: string;
}

describe('the conformance suite of OCI distribution 1.1, on the embedded registry', () => {
  it.each([
    { mechanisms: 'Referrers', referrers: true },
    { mechanisms: 'References,Referrers,Oras', referrers: true },
    { mechanisms: 'FallbackTag', referrers: false },
  ])('passes pull, push, discovery and management with $mechanisms', async ({ mechanisms, referrers }) => {
    const registry = await startDemoRegistry(mechanisms);
    onTestFinished(() => registry.stop());
    const { code, cases, log } = await runSuite(registry.host, referrers);
    const withStatus = (...statuses: string[]): TestCase[] =>
      cases.filter(({ status }) => statuses.includes(status));
    expect(withStatus('failure', 'error'), log).toEqual([]);
    expect(code, log).toBe(0);
    expect(withStatus('passed').length).toBeGreaterThan(650);
    const others = cases.filter(({ status, name }) => status !== 'passed' && !optional.test(name));
    expect(others.map(({ name }) => name.split('/').at(-1))).toEqual(
      referrers ? [] : ['referrers', 'referrers', 'referrers', 'referrers'],
    );
    const discovery = withStatus('passed').filter(({ name }) => name.endsWith('/referrers'));
    expect(discovery).toHaveLength(referrers ? 4 : 0);
  });
});

async function runSuite(
  host: string,
  referrers: boolean,
): Promise<{ code: number; cases: TestCase[]; log: string }> {
  const binary = await ensureComponent('conformance');
  const directory = await makeTemporaryDirectory('conformance');
  onTestFinished(() => directory.remove());
  const { code, stdout, stderr } = await runCommand(binary, [], {
    cwd: directory.path,
    env: {
      OCI_REGISTRY: host,
      OCI_TLS: 'disabled',
      OCI_VERSION: '1.1',
      OCI_RESULTS_DIR: directory.path,
      OCI_API_REFERRER: String(referrers),
      // What the defaults of 1.1 do not ask for, and this registry does all the same.
      OCI_DATA_SPARSE: 'true',
      OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
      OCI_API_BLOBS_DIGEST_HEADER: 'true',
      OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
    },
  });
  const report = await readFile(join(directory.path, 'junit.xml'), 'utf8');
  return { code, cases: casesOf(report), log: `${stdout}${stderr}` };
}

function casesOf(report: string): TestCase[] {
  return [...report.matchAll(/<testcase ([^>]*)>/g)].map(([, attributes = '']) => ({
    name: attributeOf(attributes, 'name'),
    status: attributeOf(attributes, 'status'),
  }));
}

const attributeOf = (attributes: string, name: string): string =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
