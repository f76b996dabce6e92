import { repositoryName } from '../image/reference.ts';
import type { Repository } from '../image/reference.ts';
import type { DiscoveryMechanism } from './discovery-mechanism.ts';

/** A mechanism to be asked, and the repository to be asked by it. */
export interface Question {
  readonly mechanism: DiscoveryMechanism;
  readonly at: Repository;
}

/** A repository with the mechanisms that are asked there; the image's own comes first. */
export interface Place {
  readonly at: Repository;
  readonly mechanisms: readonly DiscoveryMechanism[];
}

/** Names a question among those about one image. */
export const questionKey = ({ mechanism, at }: Question): string =>
  `${repositoryName(at)}\n${mechanism.name}`;

/**
 * Which questions are asked at the same time, in three waves at most. What last proved something for the repository is
 * asked first and alone; else the APIs, and what is left together after them. The fallback tag counts only where an API
 * is absent, so that it comes in a later wave than the API. Other repositories come a wave behind the image's own.
 */
export function planWaves(places: readonly Place[], proved: ReadonlySet<string>): Question[][] {
  const waves: Question[][] = [];
  const isProved = (question: Question): boolean => proved.has(questionKey(question));
  for (const [index, { at, mechanisms }] of places.entries()) {
    const questions = mechanisms.map((mechanism): Question => ({ mechanism, at }));
    const here = questions.filter(isProved);
    const isFirst = here.length > 0 || (index === 0 && proved.size === 0);
    const waveOf = wavesOf(questions, here);
    for (const question of questions) (waves[waveOf(question) + (isFirst ? 0 : 1)] ??= []).push(question);
  }
  return waves.filter((wave) => wave.length > 0);
}

/** The waves of one repository. @param proved the questions that last proved something. */
function wavesOf(
  questions: readonly Question[],
  proved: readonly Question[],
): (question: Question) => number {
  const isFallback = ({ mechanism }: Question): boolean => mechanism.mechanism === 'FallbackTag';
  const isApi = (question: Question): boolean => !question.mechanism.isClaimedByTag && !isFallback(question);
  const needsApi = proved.some(isFallback);
  const apiWave = (question: Question): number =>
    proved.length === 0 || needsApi || proved.includes(question) ? 0 : 1;
  const fallbackWave = 1 + Math.max(-1, ...questions.filter(isApi).map(apiWave));
  return (question) => {
    if (isApi(question)) return apiWave(question);
    if (isFallback(question)) return fallbackWave;
    if (proved.includes(question)) return 0;
    return needsApi ? fallbackWave + 1 : 1;
  };
}
