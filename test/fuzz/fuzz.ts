import { readCorpus } from './corpus.ts';
import { parseTree, printTree } from './json-tree.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateTree } from './mutate-json.ts';
import { createRandom } from './random.ts';
import type { Random } from './random.ts';
import { fuzzTargets } from './targets.ts';
import type { Target } from './target.ts';

/** An input that something else than a refusal came of. */
export interface Finding {
  readonly target: string;
  /** Its number in the run: with the seed, it makes the input again. */
  readonly input: number;
  readonly bytes: Uint8Array;
  readonly error: unknown;
}

export interface FuzzReport {
  readonly inputs: number;
  /** How many inputs each target read, and how many it refused. */
  readonly outcomes: ReadonlyMap<string, { read: number; refused: number }>;
  readonly slowest: {
    readonly target: string;
    readonly input: number;
    readonly bytes: number;
    readonly ms: number;
  };
  readonly finding?: Finding;
}

/** Inputs are capped in bytes, so that mutants of mutants stay within what a registry client would take. */
const maxInputBytes = 4 * 1024 * 1024;

/**
 * Reads mutants of real documents until something breaks or the caller has enough. Each input depends on the seed and
 * its number alone.
 * @param goesOn asked before each input, with its number.
 */
export function fuzz(seed: number, goesOn: (input: number) => boolean, first = 0): FuzzReport {
  const targets = fuzzTargets(readCorpus());
  const outcomes = new Map(targets.map(({ name }) => [name, { read: 0, refused: 0 }]));
  let slowest: FuzzReport['slowest'] = { target: '', input: 0, bytes: 0, ms: 0 };
  let input = first;
  for (; goesOn(input); input++) {
    const random = createRandom(seed + Math.imul(input, 0x9e3779b1));
    const target = pickTarget(targets, random);
    const bytes = mutant(target, random).subarray(0, maxInputBytes);
    const choice = random.below(1000);
    try {
      const startedAt = performance.now();
      const observation = target.run(bytes, choice);
      const ms = performance.now() - startedAt;
      if (ms > slowest.ms) slowest = { target: target.name, input, bytes: bytes.length, ms };
      checkSame(observation, target.run(bytes.slice(), choice));
      const outcome = outcomes.get(target.name);
      if (outcome !== undefined) outcome[observation.startsWith('read ') ? 'read' : 'refused']++;
    } catch (error) {
      const finding = { target: target.name, input, bytes, error };
      return { inputs: input - first + 1, outcomes, slowest, finding };
    }
  }
  return { inputs: input - first, outcomes, slowest };
}

function checkSame(first: string, second: string): void {
  if (first === second) return;
  let at = 0;
  while (first[at] === second[at]) at++;
  const shown = (text: string): string => JSON.stringify(text.slice(Math.max(0, at - 100), at + 100));
  throw new Error(`a second run read something else: ${shown(first)}, then ${shown(second)}`);
}

/** Half of all inputs are manifests. */
function pickTarget(targets: readonly Target[], random: Random): Target {
  const [manifest, ...others] = targets;
  return manifest !== undefined && random.oneIn(2) ? manifest : random.pick(others);
}

function mutant({ seeds }: Target, random: Random): Uint8Array {
  const seed = random.pick(seeds);
  let bytes = random.oneIn(4) ? seed : mutantOfStructure(seed, random);
  if (bytes === seed || random.oneIn(8)) {
    for (let changes = random.pick([1, 1, 1, 2, 3]); changes > 0; changes--)
      bytes = mutateBytes(bytes, random.pick(seeds), random);
  }
  return bytes;
}

function mutantOfStructure(seed: Uint8Array, random: Random): Uint8Array {
  let text = new TextDecoder().decode(seed);
  for (let changes = random.pick([1, 1, 1, 2, 3]); changes > 0; changes--) {
    try {
      text = printTree(mutateTree(parseTree(text), random));
    } catch {
      break; // no longer JSON: a change of a number made it something else
    }
  }
  return new TextEncoder().encode(text);
}
