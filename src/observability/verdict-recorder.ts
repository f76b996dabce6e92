import type { BaseLogger } from 'pino';
import { firstFlat } from '../admission/first-flat.ts';
import type { VerdictRecorder } from '../admission/ports.ts';
import type { ImageVerdict, Verdict } from '../admission/verdict.ts';
import { timeText } from '../failures/time-text.ts';
import type { Metrics } from './metrics.ts';

/** Most images, codes or policies named in one line. */
const maxNamed = 20;

export interface VerdictRecorderOptions {
  readonly logger: BaseLogger;
  readonly metrics: Pick<Metrics, 'recordVerdict'>;
}

/** One log line and one set of counts for each verdict. */
export function createVerdictRecorder({ logger, metrics }: VerdictRecorderOptions): VerdictRecorder {
  return {
    record(verdict) {
      metrics.recordVerdict(verdict);
      const level = verdict.outcome === 'admitted' ? 'info' : 'warn';
      logger[level](verdictFields(verdict), `Workload ${verdict.outcome}`);
    },
  };
}

function verdictFields(verdict: Verdict): Record<string, unknown> {
  const { workload, images, failure } = verdict;
  const codes = new Set<string>(failure === undefined ? [] : [failure.code]);
  const policies = new Set<string>();
  for (const { checks } of images) {
    for (const { code, policy } of checks) {
      if (code !== undefined) codes.add(code);
      policies.add(policy);
    }
  }
  return {
    outcome: verdict.outcome,
    kind: workload.kind,
    namespace: workload.namespace,
    name: workload.name,
    images: images.slice(0, maxNamed).map(({ image, reference, digest, outcome }) => ({
      image: reference ?? image,
      ...(digest === undefined ? {} : { digest }),
      outcome,
    })),
    ...(images.length > maxNamed ? { imagesNotShown: images.length - maxNamed } : {}),
    codes: [...codes].slice(0, maxNamed),
    policies: [...policies].slice(0, maxNamed),
    notPassed: firstFlat(images, notPassed, maxNamed),
    ...someOf('tolerated', firstFlat(images, tolerated, maxNamed)),
    ...someOf('excepted', firstFlat(images, exceptedOf, maxNamed)),
    ...(failure === undefined ? {} : { message: failure.message, cause: failure.cause }),
    requests: verdict.requests,
    durationMs: Math.round(verdict.durationMs * 10) / 10,
    dryRun: verdict.dryRun,
  };
}

/** What counted although its issuer only logs what is wrong with it (Notary Project, action `log`). */
function tolerated({ image, reference, checks }: ImageVerdict): Record<string, unknown>[] {
  return checks.flatMap(({ policy, requirement, evidence }) =>
    evidence.flatMap(({ issuer, tolerated: problems = [] }) =>
      problems.map(({ code, message }) => ({
        image: reference ?? image,
        policy,
        requirement,
        issuer,
        code,
        message,
      })),
    ),
  );
}

/** What was not judged, and why. */
function exceptedOf({ image, reference, checks }: ImageVerdict): Record<string, unknown>[] {
  return checks.flatMap(({ policy, requirement, exemption }) =>
    exemption === undefined
      ? []
      : [
          {
            image: reference ?? image,
            policy,
            requirement,
            exception: exemption.exception.name,
            reason: exemption.exception.reason,
            endsAt: timeText(exemption.exception.endsAtMs),
            byDigest: exemption.byDigest,
          },
        ],
  );
}

const someOf = <T>(name: string, items: readonly T[]): Record<string, readonly T[]> =>
  items.length === 0 ? {} : { [name]: items };

/** Which image failed what, and why: an Audit policy is read here. */
function notPassed({ image, reference, checks }: ImageVerdict): Record<string, unknown>[] {
  return checks
    .filter(({ outcome }) => outcome !== 'passed')
    .slice(0, maxNamed)
    .map(({ policy, requirement, mode, outcome, code, message, cause }) => ({
      image: reference ?? image,
      policy,
      requirement,
      mode,
      outcome,
      code,
      message,
      ...(cause === undefined ? {} : { cause }),
    }));
}
