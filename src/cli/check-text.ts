import { styleText } from 'node:util';
import { failureCatalogue } from '../failures/catalogue.ts';
import { printable, printableLines } from '../failures/printable.ts';
import { shortDigest } from '../image/digest.ts';
import { describeSigner } from '../policy/evidence.ts';
import type { Evidence } from '../policy/evidence.ts';
import type { Check, ImageVerdict, Miss, Verdict } from '../admission/verdict.ts';

type Format = Parameters<typeof styleText>[0];
type Paint = (format: Format, text: string) => string;

/** For people: one block an image with what was found, what was missing and what to do. */
export function renderText(verdict: Verdict, explain: boolean, color: boolean): string {
  const paint: Paint = (format, text) => (color ? styleText(format, text, { validateStream: false }) : text);
  const blocks = verdict.images.map((image) => renderImage(image, explain, paint));
  if (verdict.failure !== undefined) {
    const { code, message } = verdict.failure;
    blocks.push(`${paint('red', code)}: ${printableLines(message)}\n${failureCatalogue[code].remedy}`);
  }
  const { total, sequential } = verdict.requests;
  const summary = `${paint(outcomeStyle[verdict.outcome], verdict.outcome)}, ${total} registry request${total === 1 ? '' : 's'}, ${sequential} sequential`;
  return `${[...blocks, summary].join('\n\n')}\n`;
}

const outcomeStyle = { admitted: 'green', denied: 'red', inconclusive: 'yellow' } as const;
const checkMark = {
  passed: ['green', 'passed      '],
  failed: ['red', 'failed      '],
  inconclusive: ['yellow', 'inconclusive'],
} as const;

function renderImage(
  { image, reference, digest, checks }: ImageVerdict,
  explain: boolean,
  paint: Paint,
): string {
  const lines = [paint('bold', printable(image))];
  if (reference !== undefined && reference !== image) lines.push(`  is ${reference}`);
  if (digest !== undefined && !(reference ?? '').includes(digest)) lines.push(`  ${digest}`);
  if (checks.length === 0) lines.push('  no policy matches this image');
  for (const check of checks) lines.push(...renderCheck(check, explain, paint));
  const first = checks.find(({ blocks, code }) => blocks && code !== undefined);
  if (first?.code !== undefined)
    lines.push(`  ${paint('dim', 'what to do:')} ${failureCatalogue[first.code].remedy}`);
  return lines.join('\n');
}

function renderCheck(check: Check, explain: boolean, paint: Paint): string[] {
  const { outcome, mode, policy, requirement, code, message, evidence, misses } = check;
  const [style, word] = checkMark[outcome];
  const what = code === undefined ? message : `${code}: ${message}`;
  const note =
    mode === 'Enforce' || outcome === 'passed'
      ? ''
      : paint('dim', ` (policy only ${mode === 'Warn' ? 'warns' : 'audits'})`);
  const lines = [`  ${paint(style, word)}  ${policy} / ${requirement}  ${printable(what)}${note}`];
  for (const item of evidence) lines.push(`                ${paint('dim', describeEvidence(item))}`);
  if (explain) {
    for (const item of evidence) lines.push(`                path ${item.path.join(' <- ')}`);
    for (const miss of misses) lines.push(`                looked at ${describeMiss(miss)}`);
    if (misses.length === 0 && outcome !== 'passed')
      lines.push('                looked at nothing that could have counted');
  }
  return lines;
}

function describeEvidence({
  kind,
  predicateType,
  sbom,
  signer,
  subject,
  mechanism,
  artifact,
  signedAtMs,
  format,
}: Evidence): string {
  const what =
    sbom !== undefined
      ? `SBOM ${sbom.format} ${sbom.version}`
      : kind === 'attestation'
        ? `attestation ${predicateType ?? ''}`
        : 'signature';
  const when = signedAtMs === undefined ? '' : ` at ${new Date(signedAtMs).toISOString()}`;
  return printable(
    `${what} of ${shortDigest(subject)} by ${describeSigner(signer)}${when}; ${format} in ${shortDigest(artifact)}, found by ${mechanism}`,
  );
}

function describeMiss({ artifact, mechanism, signer, code, message }: Miss): string {
  const where = artifact === undefined ? 'an artifact' : shortDigest(artifact);
  const how = mechanism === undefined ? '' : ` (${mechanism})`;
  const who = signer === undefined ? '' : ` signed by ${signer}`;
  return printable(`${where}${how}${who}: ${code}: ${message}`);
}
