/**
 * Brings GitHub's trusted root, and the root of its TUF repository, up to date: read by TUF from the root that is here, so that
 * nothing but what GitHub signed gets in. The test of the built-in roots then names the fingerprints that changed.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { BoundedFetch, publicHosts } from '../src/network/bounded-fetch.ts';
import { builtInTrustedRoot, builtInTufRoot } from '../src/trust/built-in-roots.ts';
import { readTufTarget } from '../src/trust/read-tuf-target.ts';

const mirror = 'https://tuf-repo.github.com';
const network = new BoundedFetch(publicHosts);
const { metadata, outcome } = await readTufTarget({
  mirror,
  target: 'trusted_root.json',
  known: { root: builtInTufRoot(mirror) },
  knownTarget: undefined,
  network,
  scratch: tmpdir(),
  signal: AbortSignal.timeout(60_000),
});
await network.close();
if (outcome instanceof Error) {
  console.error(`${mirror} cannot be read: ${outcome.message}`);
  process.exitCode = 1;
} else {
  const before = JSON.stringify(JSON.parse(builtInTrustedRoot('GitHub')));
  const isNew = JSON.stringify(JSON.parse(Buffer.from(outcome).toString('utf8'))) !== before;
  await writeFile(new URL('../src/trust/github-trusted-root.json', import.meta.url), outcome);
  await writeFile(new URL('../src/trust/github-tuf-root.json', import.meta.url), metadata.root);
  console.log(isNew ? 'The trusted root is another one now.' : 'The trusted root is still the same.');
}
