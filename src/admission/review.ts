import { failureKind, toFailure } from '../failures/failure.ts';
import type { Failure } from '../failures/failure.ts';
import type { AdmissionRequest } from './admission-review.ts';
import { answerReview } from './answer.ts';
import type { ReviewAnswer } from './answer.ts';
import { decide } from './decide.ts';
import type { DecisionOptions, DecisionPorts } from './decide.ts';
import type { Verdict } from './verdict.ts';
import { readWorkload } from './workload.ts';
import type { Workload } from './workload.ts';

/** Answers one AdmissionReview. Never throws; a review that cannot be read as a workload is refused. */
export async function review(
  request: AdmissionRequest,
  ports: DecisionPorts,
  options: DecisionOptions,
): Promise<ReviewAnswer> {
  let workload: Workload;
  try {
    workload = readWorkload(request);
  } catch (error) {
    const verdict = refusal(request, toFailure(error));
    ports.recorder.record(verdict);
    return answerReview(verdict);
  }
  return answerReview(await decide(workload, ports, options));
}

function refusal({ kind, namespace, name, dryRun }: AdmissionRequest, failure: Failure): Verdict {
  return {
    outcome: failureKind(failure.code) === 'invalid' ? 'denied' : 'inconclusive',
    allowed: false,
    workload: { kind: kind.kind, namespace, name },
    images: [],
    failure,
    dryRun,
    requests: { total: 0, sequential: 0 },
    durationMs: 0,
  };
}
