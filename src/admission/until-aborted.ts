import { failureCatalogue } from '../failures/catalogue.ts';
import { RefwardenError } from '../failures/failure.ts';

/**
 * Waits for work no longer than the caller does; the work itself goes on. What it waits for may not heed the signal,
 * so a decision heeds it by itself.
 * @throws RefwardenError `DeadlineExceeded` once the signal is aborted, and whatever the work throws before.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const end = (): void => {
    ended.reject(new RefwardenError('DeadlineExceeded', failureCatalogue.DeadlineExceeded.summary));
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work, ended.promise]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** Resolves once the signal is aborted, at once when it already is. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener(
    'abort',
    () => {
      resolve(undefined);
    },
    { once: true },
  );
  await promise;
}
