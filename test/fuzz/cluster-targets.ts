import { parseAdmissionReview } from '../../src/admission/admission-review.ts';
import { readWorkload } from '../../src/admission/workload.ts';
import { parseDocuments } from '../../src/directory/parse-documents.ts';
import { parseObjects } from '../../src/directory/parse-objects.ts';
import { formatImageReference, parseImageReference } from '../../src/image/reference.ts';
import { compilePolicies } from '../../src/policy/compile.ts';
import { notReady } from '../../src/policy/not-ready.ts';
import { selectsImage } from '../../src/policy/match.ts';
import { checkExpression } from '../../src/verification/expression/check-expression.ts';
import { checkIssuerMaterial } from '../../src/verification/issuer-material.ts';
import { parseTrustedRoot } from '../../src/verification/sigstore/trusted-root.ts';
import type { Corpus } from './corpus.ts';
import { checkFailure, observe } from './observe.ts';
import type { Target } from './target.ts';

const image = parseImageReference('registry.example.com/shop/web:1.4');

/** What a cluster and its policy authors send. */
export function clusterTargets({ policies, reviews, trustedRoots }: Corpus): readonly Target[] {
  const [material = ''] = trustedRoots.map((bytes) => new TextDecoder().decode(bytes));
  return [
    {
      name: 'policy',
      seeds: policies,
      run: (bytes, choice) => observe(() => readPolicies(bytes, choice, material)),
    },
    { name: 'review', seeds: reviews, run: (bytes) => observe(() => readReview(bytes)) },
    {
      name: 'trusted root',
      seeds: trustedRoots,
      run: (bytes) => observe(() => readTrustedRoot(new TextDecoder().decode(bytes))),
    },
  ];
}

function readPolicies(bytes: Uint8Array, choice: number, material: string): unknown {
  checkFormatsAgree(bytes);
  const file = choice % 2 === 0 ? 'a.json' : 'a.yaml';
  const { resources } = parseObjects(file, parseDocuments(file, bytes));
  const snapshot = compilePolicies(resources, {
    material: () => material,
    check: checkIssuerMaterial,
    checkExpression,
  });
  const problems = notReady(snapshot).map(({ failure }) => failure);
  problems.forEach(checkFailure);
  const selected = snapshot.policies.map((policy) => selectsImage(policy, image));
  return [resources, problems, selected];
}

/** JSON is YAML: where both readers take a file, they read the same. */
function checkFormatsAgree(bytes: Uint8Array): void {
  const [json, yaml] = ['a.json', 'a.yaml'].map((file) =>
    observe(() => parseDocuments(file, bytes).map(({ value }) => value)),
  );
  if (json === yaml || [json, yaml].some((read) => read?.startsWith('read ') !== true)) return;
  throw new Error(`read as JSON and as YAML: ${json?.slice(0, 500)} and ${yaml?.slice(0, 500)}`);
}

function readReview(bytes: Uint8Array): unknown {
  const workload = readWorkload(parseAdmissionReview(bytes));
  const references = workload.images.map(({ image: text }) =>
    observe(() => {
      const reference = parseImageReference(text);
      const again = parseImageReference(formatImageReference(reference));
      if (JSON.stringify(again) !== JSON.stringify(reference)) throw new Error(`${text} has two names`);
      return reference;
    }),
  );
  return [workload, references];
}

function readTrustedRoot(json: string): unknown {
  const { certificateAuthorities, timestampAuthorities, tlogs, ctlogs } = parseTrustedRoot(json, 'T');
  return [certificateAuthorities, timestampAuthorities, tlogs, ctlogs].map(({ length }) => length);
}
