import { failureCatalogue } from '../failures/catalogue.ts';
import type { Failure } from '../failures/failure.ts';
import { printable } from '../failures/printable.ts';
import { shortDigest } from '../image/digest.ts';
import { firstFlat } from './first-flat.ts';
import type { Json } from '../oci/strict-json.ts';
import type { Check, ImageVerdict, Verdict } from './verdict.ts';

/** A verdict as the API server is told it (AdmissionResponse of admission.k8s.io/v1). */
export interface ReviewAnswer {
  readonly allowed: boolean;
  /** For the person who ran kubectl; several lines. */
  readonly message: string;
  readonly warnings: readonly string[];
  /** Fixed keys `images`, `policies` and `pinned` with JSON values: an image name is no valid key. */
  readonly auditAnnotations: Readonly<Record<string, string>>;
  /** Of the mutating webhook: what is to be changed. */
  readonly patch?: readonly JsonPatchOperation[];
}

/** RFC 6902, as far as it is used. */
export interface JsonPatchOperation {
  readonly op: 'add' | 'replace';
  /** RFC 6901. */
  readonly path: string;
  readonly value: Json;
}

const maxMessageImages = 10;
const maxChecksPerImage = 4;
const maxAuditEntries = 100;
/** Longest value of an audit annotation, characters: a bound of ours, for logs of the API server. */
const maxAuditLength = 16_000;
/** The API server passes on 4096 characters of them all together. */
const maxWarnings = 500;
/** Longest image and longest line shown, in characters; a workload may hold an image text of megabytes. */
const maxImageLength = 300;
const maxLineLength = 2000;

export function answerReview(verdict: Verdict): ReviewAnswer {
  return {
    allowed: verdict.allowed,
    message: verdict.allowed ? '' : denialMessage(verdict),
    warnings: warningsOf(verdict),
    auditAnnotations: auditAnnotations(verdict),
  };
}

/** A resource of Refwarden itself that is not to be stored. */
export function refusedResource({ code, message }: Failure): ReviewAnswer {
  const text = `${line(`${code}: ${message}`)}\n${failureCatalogue[code].remedy}`;
  return { allowed: false, message: text, warnings: [], auditAnnotations: {} };
}

/** What kubectl shows: the closest miss of each image first, then what to do. */
export function denialMessage(verdict: Verdict): string {
  if (verdict.failure !== undefined) {
    const { code, message } = verdict.failure;
    return `${line(`${code}: ${message}`)}\n${failureCatalogue[code].remedy}`;
  }
  const refused = verdict.images.filter(({ checks }) => checks.some(({ blocks }) => blocks));
  const { namespace } = verdict.workload;
  const shown = refused.slice(0, maxMessageImages).map((image) => describeImage(image, namespace));
  const more = refused.length > shown.length ? [`... and ${refused.length - shown.length} more images`] : [];
  const count = verdict.images.length;
  return [`${count} image${count === 1 ? '' : 's'}, ${refused.length} not admitted`, ...shown, ...more].join(
    '\n',
  );
}

function describeImage(verdict: ImageVerdict, namespace: string): string {
  const blocking = verdict.checks.filter(({ blocks }) => blocks);
  const [first] = blocking;
  const where = verdict.fields
    .map(({ role, name }) => `${roleNames[role]} ${JSON.stringify(name)}`)
    .slice(0, 4)
    .join(', ');
  const digest = verdict.digest === undefined ? '' : ` (${shortDigest(verdict.digest)})`;
  const lines = [`${shownImage(verdict)}${digest}${where === '' ? '' : `, ${where}`}`];
  for (const check of blocking.slice(0, maxChecksPerImage)) lines.push(`  ${describeCheck(check)}`);
  if (blocking.length > maxChecksPerImage)
    lines.push(`  ... and ${blocking.length - maxChecksPerImage} more checks`);
  if (first?.code !== undefined) {
    lines.push(
      `  ${failureCatalogue[first.code].remedy} Details: refwarden check --policies DIR --namespace ${namespace} --explain ${explainable(verdict)}`,
    );
  }
  return lines.map(line).join('\n');
}

const roleNames = {
  container: 'container',
  initContainer: 'init container',
  ephemeralContainer: 'ephemeral container',
  imageVolume: 'image volume',
} as const;

/** As written; a digest beside a tag, as pinning leaves it, is left to the short form that follows. */
function shownImage({ image, digest }: ImageVerdict): string {
  const [name = '', beside] = image.split('@', 2);
  const isTagged = digest !== undefined && beside === digest && /:[^:/]+$/.test(name);
  return shorten(isTagged ? name : image, maxImageLength);
}

/** `SignerNotTrusted: policy prod-release (signed) asks for ...` */
function describeCheck({ code, policy, requirement, message }: Check): string {
  return `${code ?? 'Passed'}: policy ${policy} (${requirement}): ${message}`;
}

function explainable({ image, reference, digest }: ImageVerdict): string {
  if (reference === undefined) return shorten(image, maxImageLength);
  return digest === undefined || reference.includes('@') ? reference : `${reference}@${digest}`;
}

/** Code and image first: the API server cuts each warning to 256 runes once all exceed 4096. */
function warningsOf(verdict: Verdict): string[] {
  const warnings: string[] = [];
  for (const image of verdict.images) {
    warnings.push(...exceptedByTag(image));
    for (const { outcome, blocks, mode, code, policy, requirement, message } of image.checks) {
      if (warnings.length >= maxWarnings) return warnings;
      if (outcome === 'passed' || blocks || mode === 'Audit') continue;
      const what = `${code ?? 'InternalError'} ${shownImage(image)}`;
      warnings.push(line(`${what}: policy ${policy} (${requirement}): ${message}`));
    }
  }
  return warnings;
}

/** Once for each exception of the image. */
function exceptedByTag(image: ImageVerdict): string[] {
  const byTag = image.checks.flatMap(({ exemption }) =>
    exemption === undefined || exemption.byDigest ? [] : [exemption.exception.name],
  );
  return [...new Set(byTag)].map((name) =>
    line(
      `ExceptedByTag ${shownImage(image)}: exception ${name} names no digest, so whatever the tag means next is excepted, too.`,
    ),
  );
}

function auditAnnotations({ images }: Verdict): Record<string, string> {
  if (images.length === 0) return {};
  const checks = firstFlat(
    images,
    ({ image, checks: all }) => all.slice(0, maxAuditEntries).map((check) => ({ image, check })),
    maxAuditEntries,
  );
  const checkCount = images.reduce((sum, { checks: all }) => sum + all.length, 0);
  return {
    images: auditValue(images, ({ image, digest, outcome }) => ({
      image: shorten(image, maxImageLength),
      digest,
      outcome,
    })),
    policies: auditValue(
      checks,
      ({ image, check: { policy, requirement, mode, outcome, code, exemption } }) => ({
        image: shorten(image, maxImageLength),
        policy,
        requirement,
        mode,
        outcome,
        code,
        exception: exemption?.exception.name,
      }),
      checkCount,
    ),
  };
}

/** Audit annotations of the mutating webhook: which image was pinned to what. */
export const pinAnnotations = (pins: readonly { from: string; to: string }[]): Record<string, string> => ({
  pinned: auditValue(pins, ({ from, to }) => ({ image: shorten(from, maxImageLength), to })),
});

function auditValue<T>(
  entries: readonly T[],
  describe: (entry: T) => object,
  count = entries.length,
): string {
  const shown: string[] = [];
  let length = 0;
  for (const entry of entries.slice(0, maxAuditEntries)) {
    const text = JSON.stringify(describe(entry));
    length += text.length + 1;
    if (length > maxAuditLength) break;
    shown.push(text);
  }
  const notShown = count - shown.length;
  if (notShown > 0) shown.push(JSON.stringify({ notShown }));
  return `[${shown.join(',')}]`;
}

const shorten = (text: string, maxLength: number): string =>
  text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;

/** One line of a message: what a workload, a registry or a certificate says of itself starts no line of its own. */
const line = (text: string): string => printable(shorten(text, maxLineLength).replaceAll('\n', ' '));
