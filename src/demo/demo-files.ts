import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issueServingCertificate } from '../certificates/issue-certificates.ts';
import { buildReview } from './admission-review.ts';
import { archiveHost, demoAddress, shopHost } from './demo-addresses.ts';
import { demoPolicies } from './policies.ts';

/** Everything that the demo's webhook is started from, in a folder that `remove` takes away. */
export interface DemoFiles {
  readonly policies: string;
  readonly registries: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  /** PEM file of the authority of the serving certificate. */
  readonly ca: string;
  readonly caPem: string;
  /** What the API server would ask about a Pod. */
  readonly review: string;
  remove(): Promise<void>;
}

/** Both registries speak plain HTTP; the archive only the references API. */
const registrySettings = `registries:
- {host: "${shopHost}", plainHttp: true}
- {host: "${archiveHost}", plainHttp: true, mechanisms: [References]}
`;

/** Signed by somebody whom no policy trusts. */
const strangerImage = `${shopHost}/shop/stranger:1.0`;

const certificateLifetimeMs = 7 * 24 * 3_600_000;

export async function writeDemoFiles(): Promise<DemoFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'refwarden-demo-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const term = { fromMs: Date.now(), lifetimeMs: certificateLifetimeMs };
    const authority = await createAuthority('Refwarden demo authority', term);
    const { certPem, keyPem } = await issueServingCertificate(authority, [demoAddress, 'localhost'], term);
    const caPem = authority.certPem;
    const write = async (name: string, text: string): Promise<string> => {
      const path = join(folder, name);
      await writeFile(path, text, { mode: 0o600 });
      return path;
    };
    const policies = join(folder, 'policies');
    await mkdir(policies);
    await write(
      'policies/samples.json',
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: demoPolicies }),
    );
    return {
      policies,
      registries: await write('registries.yaml', registrySettings),
      tlsCert: await write('tls.crt', certPem),
      tlsKey: await write('tls.key', keyPem),
      ca: await write('ca.crt', caPem),
      caPem,
      review: await write('review.json', JSON.stringify(buildReview(strangerImage), undefined, 2)),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** What a reader can type while the demo runs, from the root of the project. */
export function demoCommands({ policies, registries, ca, review }: DemoFiles, url: string): string[] {
  const check = (image: string): string =>
    `npm run -s refwarden -- check ${image} --policies ${policies} --registries ${registries}`;
  return [
    check(`${shopHost}/shop/web:1.0`),
    `${check(strangerImage)} --explain`,
    `curl --cacert ${ca} --json @${review} ${url}`,
    `curl http://${shopHost}/v2/shop/api/tags/list`,
  ];
}
