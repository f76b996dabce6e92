/**
 * `true` once `url` answers with a status below 500, `undefined` while nobody listens: made for `waitUntil`.
 */
export async function httpAnswers(url: string): Promise<true | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.status < 500 ? true : undefined;
  } catch {
    return undefined;
  }
}
