import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createTrustSource } from '../../../src/trust/trust-source.ts';
import { compilePolicies } from '../../../src/policy/compile.ts';
import { notReady } from '../../../src/policy/not-ready.ts';
import { parseResource } from '../../../src/policy/model/resource.ts';
import { checkExpression } from '../../../src/verification/expression/check-expression.ts';
import { checkIssuerMaterial } from '../../../src/verification/issuer-material.ts';

it('the sample of manifests/notation-sample.yaml is ready as it is', () => {
  const path = join(import.meta.dirname, '..', '..', '..', 'manifests', 'notation-sample.yaml');
  const [configMap, ...resources] = parseAllDocuments(readFileSync(path, 'utf8')).map(
    (document) => document.toJS() as { data?: Record<string, string>; metadata: { name: string } },
  );
  const trust = createTrustSource({
    configMaps: (name) => (name === configMap?.metadata.name ? configMap.data : undefined),
  });
  const snapshot = compilePolicies(
    resources.map((resource) => parseResource(resource, 'sample')),
    { material: (reference) => trust.material(reference), check: checkIssuerMaterial, checkExpression },
  );
  expect(snapshot.policies.map(({ name }) => name)).toEqual(['vendor-signed']);
  expect(notReady(snapshot)).toEqual([]);
});
