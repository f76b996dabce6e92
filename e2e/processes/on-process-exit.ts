/**
 * Runs `work`, which must not wait for anything, when this process ends other than by SIGKILL: the last one
 * registered runs first. Returns the way to take it back.
 */
export function onProcessExit(work: () => void): () => void {
  // Every process and directory of a run has one: more than the ten above which Node suspects a leak.
  process.setMaxListeners(Math.max(process.getMaxListeners(), process.listenerCount('exit') + 2));
  const attempt = (): void => {
    try {
      work();
    } catch {
      // What cannot be cleaned up must not keep the rest from it.
    }
  };
  process.prependOnceListener('exit', attempt);
  return () => {
    process.off('exit', attempt);
  };
}
