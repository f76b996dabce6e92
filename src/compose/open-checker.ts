import { decide } from '../admission/decide.ts';
import type { LiveSource } from '../admission/live-source.ts';
import { untilAborted } from '../admission/until-aborted.ts';
import type { CheckOptions, Checker } from '../cli/commands.ts';
import { openDirectory } from '../directory/open-directory.ts';
import { RefwardenError } from '../failures/failure.ts';
import { notReady } from '../policy/not-ready.ts';
import { uncountedExceptions } from '../policy/uncounted-exceptions.ts';
import { loadSettings, openContents } from './open-contents.ts';
import { openDecision } from './open-decision.ts';
import { openTrust, tufEventsUnheard } from './open-trust.ts';
import { clock } from './system-clock.ts';

/** The first reading of a mirror is waited for, within the caller's time: a policy without its trusted root decides nothing. */
export async function openChecker(options: CheckOptions, signal: AbortSignal): Promise<Checker> {
  await using stack = new AsyncDisposableStack();
  const settings = await loadSettings(options);
  const trust = await openTrust(options, settings, tufEventsUnheard);
  stack.defer(trust.close);
  const source = await openDirectory({ path: options.policies, watch: false, ...trust.snapshotOptions });
  await untilAborted(trust.mirrors.settled(), signal).catch(() => undefined);
  refuseNotReady(source);
  const { ports, close } = openDecision(source, await openContents(options, settings), {
    record: () => undefined,
  });
  stack.defer(close);
  const opened = stack.move();
  return {
    decide: (workload, until) => decide(workload, ports, { signal: until }),
    uncountedExceptions: (image, namespace) => {
      const snapshot = source.snapshot();
      return snapshot === undefined ? [] : uncountedExceptions(snapshot, image, namespace, clock.nowMs());
    },
    close: () => opened.disposeAsync(),
  };
}

/** A live webhook fails what such a policy guards; on the command line it is an error of the directory. */
function refuseNotReady(source: LiveSource): void {
  const snapshot = source.snapshot();
  const problems = snapshot === undefined ? [] : notReady(snapshot);
  if (problems.length === 0) return;
  const shown = problems.map(
    ({ policy, requirement, failure: { message } }) => `policy ${policy} (${requirement}): ${message}`,
  );
  throw new RefwardenError('PolicyNotReady', shown.join(' '));
}
