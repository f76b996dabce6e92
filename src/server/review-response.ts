import { printable, printableLines } from '../failures/printable.ts';
import type { ReviewAnswer } from '../admission/answer.ts';

/** Longest warning that survives the API server once all exceed {@link maxWarningsLength}, in runes. */
const maxWarningLength = 256;
/** Longest sum of warnings that the API server passes on, in runes. */
const maxWarningsLength = 4096;
/** Longest message of a denial, in runes. */
const maxMessageLength = 16_384;
const ellipsis = '...';

/**
 * The body of the answer (k8s.io/api/admission/v1 `AdmissionReview` with a response). Text is cut to what the API
 * server shows, and freed of characters that steer a terminal.
 */
export function encodeReviewResponse(uid: string, answer: ReviewAnswer): string {
  const warnings = boundWarnings(answer.warnings);
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: answer.allowed,
      ...(answer.allowed
        ? {}
        : {
            status: {
              code: 403,
              reason: 'Forbidden',
              message: cut(printableLines(answer.message), maxMessageLength),
            },
          }),
      ...(warnings.length > 0 ? { warnings } : {}),
      ...(answer.patch === undefined
        ? {}
        : {
            patchType: 'JSONPatch',
            patch: Buffer.from(JSON.stringify(answer.patch)).toString('base64'),
          }),
      auditAnnotations: answer.auditAnnotations,
    },
  });
}

function boundWarnings(warnings: readonly string[]): string[] {
  const kept: string[] = [];
  let left = maxWarningsLength;
  for (const [index, warning] of warnings.entries()) {
    const text = cut(printable(warning.replaceAll('\n', ' ')), maxWarningLength);
    const notice = `${warnings.length - index} more warnings are not shown`;
    const runes = Array.from(text).length;
    // The notice itself must still fit, unless this warning is the last.
    if (runes + (index === warnings.length - 1 ? 0 : notice.length) > left) {
      kept.push(notice);
      break;
    }
    kept.push(text);
    left -= runes;
  }
  return kept;
}

/** Cuts by runes (code points), as the API server counts. */
function cut(text: string, maxRunes: number): string {
  if (text.length <= maxRunes) return text;
  const runes = Array.from(text);
  return runes.length <= maxRunes ? text : runes.slice(0, maxRunes - ellipsis.length).join('') + ellipsis;
}
