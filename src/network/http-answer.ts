import type { HttpAnswer } from './http-exchange.ts';

export const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

export function contentType(answer: HttpAnswer): string | undefined {
  const header = answer.headers['content-type'];
  return typeof header === 'string' ? header.split(';', 1)[0]?.trim().toLowerCase() : undefined;
}

/** A login page or a proxy's word: never the registry's. */
export const isHtml = (answer: HttpAnswer): boolean => /html/.test(contentType(answer) ?? '');
