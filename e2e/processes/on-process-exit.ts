/**
 * Runs `work`, which must not wait for anything, when this process ends other than by SIGKILL: the last one
 * registered runs first. Returns the way to take it back.
 */
export function onProcessExit(work: () => void): () => void {
  // Every process and directory of a run has one: more than the ten above which Node suspects a leak.
  process.setMaxListeners(Math.max(process.getMaxListeners(), process.listenerCount('exit') + 2));
  process.prependOnceListener('exit', work);
  return () => {
    process.off('exit', work);
  };
}
