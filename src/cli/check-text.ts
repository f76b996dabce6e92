import { failureCatalogue } from '../failures/catalogue.ts';
import { printable, printableLines } from '../failures/printable.ts';
import type { Check, ImageVerdict, Verdict } from '../admission/verdict.ts';
import { lookedAtLines } from './check-tree.ts';
import { describeEvidence } from './describe-evidence.ts';
import { painter } from './paint.ts';
import type { Paint } from './paint.ts';

/** For people: one block an image with what was found, what was missing and what to do. */
/** @param uncounted why exceptions that name an image do not count for it. */
export function renderText(
  verdict: Verdict,
  explain: boolean,
  uncounted: (image: ImageVerdict) => readonly string[],
  color: boolean,
): string {
  const paint = painter(color);
  const blocks = verdict.images.map((image) => renderImage(image, explain, uncounted(image), paint));
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
  { image, reference, digest, checks, lookedAt }: ImageVerdict,
  explain: boolean,
  uncounted: readonly string[],
  paint: Paint,
): string {
  const lines = [paint('bold', printable(image))];
  if (reference !== undefined && reference !== image) lines.push(`  is ${reference}`);
  if (digest !== undefined && !(reference ?? '').includes(digest)) lines.push(`  ${digest}`);
  if (checks.length === 0) lines.push('  no policy matches this image');
  for (const check of checks) lines.push(...renderCheck(check, explain, paint));
  for (const sentence of uncounted) lines.push(`  ${paint('dim', 'not counted:')} ${printable(sentence)}`);
  if (explain && digest !== undefined && lookedAt !== undefined) {
    lines.push('  looked at', ...lookedAtLines(digest, lookedAt, paint).map((line) => `    ${line}`));
  }
  const first = checks.find(({ blocks, code }) => blocks && code !== undefined);
  if (first?.code !== undefined)
    lines.push(`  ${paint('dim', 'what to do:')} ${failureCatalogue[first.code].remedy}`);
  return lines.join('\n');
}

function renderCheck(check: Check, explain: boolean, paint: Paint): string[] {
  const { outcome, mode, policy, requirement, code, message, evidence, exemption } = check;
  const [style, word] = checkMark[outcome];
  const what = code === undefined ? message : `${code}: ${message}`;
  const note =
    mode === 'Enforce' || outcome === 'passed'
      ? ''
      : paint('dim', ` (policy only ${mode === 'Warn' ? 'warns' : 'audits'})`);
  const lines = [`  ${paint(style, word)}  ${policy} / ${requirement}  ${printable(what)}${note}`];
  if (exemption?.byDigest === false) {
    lines.push(
      `                ExceptedByTag: it names no digest, so whatever the tag means next is excepted, too`,
    );
  }
  for (const item of evidence) lines.push(`                ${paint('dim', describeEvidence(item))}`);
  if (explain) {
    for (const item of evidence) lines.push(`                path ${item.path.join(' <- ')}`);
  }
  return lines;
}
