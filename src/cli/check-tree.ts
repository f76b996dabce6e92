import { printable } from '../failures/printable.ts';
import { shortDigest } from '../image/digest.ts';
import type { Digest } from '../image/digest.ts';
import type { LookedAt, Miss } from '../admission/verdict.ts';
import { describeEvidence } from './describe-evidence.ts';
import { describeKind } from './describe-artifact.ts';
import type { Paint } from './paint.ts';

/** What stands at one place of the way from the image, and what lies beyond it. */
interface Place {
  readonly below: Map<Digest, Place>;
  readonly lines: string[];
}

const place = (): Place => ({ below: new Map(), lines: [] });

/** Everything that was looked at, by the way it was come to, and why each thing counts or does not. */
export function lookedAtLines(
  image: Digest,
  { evidence, misses, passedOver, gaps }: LookedAt,
  paint: Paint,
): string[] {
  const root = place();
  const at = (path: readonly Digest[]): Place => {
    let here = root;
    for (const digest of path.slice(path[0] === image ? 1 : 0)) {
      const next = here.below.get(digest) ?? place();
      here.below.set(digest, next);
      here = next;
    }
    return here;
  };
  for (const item of evidence) {
    at(item.path).lines.push(
      `${paint('green', 'verified')} ${printable(`for issuer ${item.issuer}: ${describeEvidence(item)}`)}`,
    );
  }
  for (const miss of misses) at(pathOf(miss)).lines.push(describeMiss(miss, paint));
  for (const { path, kind, mechanism } of passedOver) {
    at(path).lines.push(`passed over  ${printable(`${describeKind(kind)}, found by ${mechanism}`)}`);
  }
  for (const { code, message } of gaps) {
    root.lines.push(`${paint('yellow', 'there may be more')}  ${printable(`${code}: ${message}`)}`);
  }
  if (root.below.size + root.lines.length === 0) return ['nothing refers to it'];
  return [...root.lines, ...branches(root, '')];
}

const pathOf = ({ path, artifact }: Miss): readonly Digest[] =>
  path ?? (artifact === undefined ? [] : [artifact]);

function describeMiss({ mechanism, signer, code, message }: Miss, paint: Paint): string {
  const who = signer === undefined || message.includes(signer) ? '' : ` (signed by ${signer})`;
  const how = mechanism === undefined ? '' : `, found by ${mechanism}`;
  return `${paint('red', 'not counted')}  ${printable(`${code}: ${message}${who}${how}`)}`;
}

/** As deep as indexes and signatures of artifacts nest, which is bounded. */
function branches({ below }: Place, indent: string): string[] {
  const each = [...below];
  return each.flatMap(([digest, next], i) => {
    const isLast = i === each.length - 1;
    const inner = `${indent}${isLast ? '   ' : '│  '}`;
    const bar = next.below.size > 0 ? '│  ' : '   ';
    return [
      `${indent}${isLast ? '└─ ' : '├─ '}${shortDigest(digest)}`,
      ...[...new Set(next.lines)].map((line) => `${inner}${bar}${line}`),
      ...branches(next, inner),
    ];
  });
}
