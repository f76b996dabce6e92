import {
  CelScalar,
  celEnv,
  celFunc,
  celMethod,
  isCelError,
  isCelList,
  isCelMap,
  listType,
} from '@bufbuild/cel';
import type { CelFunc, CelList, CelType, CelValue } from '@bufbuild/cel';
import { LRUCache } from 'lru-cache';
import { joinCost, joinLists } from './cel-values.ts';
import type { Meter } from './meter.ts';
import { compileTextPattern } from './text-pattern.ts';
import type { TextPattern } from './text-pattern.ts';

const { BOOL, DYN, INT, STRING } = CelScalar;
/** Characters of text that are read in one step. */
const charactersPerStep = 8;
/** What it takes to look up a time zone. */
const timeZoneSteps = 1000;
/** Longest text that is read as a number, a time or a duration, in characters. */
const maxScalarLength = 64;
/** Patterns kept compiled between evaluations. */
const maxPatterns = 100;

/** Of CEL's operators that the planner of the library knows by itself. */
const builtInOperators = ['_[_]', '_?_:_', '_&&_', '_||_', '@not_strictly_false'];
const standardFunctions: readonly CelFunc[] = [...celEnv().funcs];
/** Every function and operator that expressions may call. */
export const knownFunctions: ReadonlySet<string> = new Set([
  ...builtInOperators,
  ...standardFunctions.map(({ name }) => name),
]);

/** Whatever they are called with, what they give is neither true nor false. */
export const neverBooleanFunctions: ReadonlySet<string> = new Set(
  standardFunctions.filter(({ result }) => result !== BOOL && result !== DYN).map(({ name }) => name),
);

/** Charges for one iteration over its first argument, as many steps an item as the second says; put in when compiled. */
export const countedRange = '@counted';

type Cost = (args: readonly CelValue[], meter: Meter) => number;

/** What calls cost that take more time than reading their texts does. */
const costs: Readonly<Record<string, Cost>> = {
  '_==_': ([left = null, right = null], meter) => treeSteps(left, meter) + treeSteps(right, meter),
  '_!=_': ([left = null, right = null], meter) => treeSteps(left, meter) + treeSteps(right, meter),
  '@in': ([value = null, list = null], meter) =>
    isCelList(list) ? (1 + treeSteps(value, meter)) * list.size : 1,
  size: ([value = null]) => (isCelMap(value) ? value.size : textSteps(value)),
  contains: ([text = '', part = '']) => textSteps(text) * textSteps(part),
};

/**
 * The standard functions of CEL, each paying the meter of the evaluation before it runs, and mended where the library
 * takes what CEL does not.
 */
export function meteredFunctions(current: () => Meter): CelFunc[] {
  const metered = standardFunctions.map((standard) => {
    const cost = costs[standard.name];
    const run = (target: CelValue | undefined, args: CelValue[]): CelValue => {
      const all = target === undefined ? args : [target, ...args];
      const meter = current();
      meter.spend(
        cost === undefined ? all.reduce<number>((sum, arg) => sum + textSteps(arg), 0) : cost(all, meter),
      );
      if (isTimeWithZone(standard)) meter.spend(timeZoneSteps);
      const refusal = refuseScalar(standard, args[0]);
      if (refusal !== undefined) throw new Error(refusal);
      const result = standard.call(0, target, isSeconds(standard) ? args.map(toMilliseconds) : args);
      if (result === undefined) throw new Error(`${standard.name} does not take these values.`);
      if (isCelError(result)) throw result;
      return result;
    };
    return likeStandard(standard, run);
  });
  const list = listType(DYN);
  return [
    ...metered,
    celFunc('_+_', [list, list], list, (left, right): CelList => {
      current().spend(1 + joinCost(left, right));
      return joinLists(left, right);
    }),
    celMethod('matches', STRING, [STRING], BOOL, meteredMatches(current)),
    celFunc(countedRange, [DYN, INT], DYN, (range, stepsEach) => {
      if (isCelList(range) || isCelMap(range)) current().spend(1 + range.size * Number(stepsEach));
      return range;
    }),
  ];
}

function likeStandard(
  { name, target, arguments: parameters, result }: CelFunc,
  run: (target: CelValue | undefined, args: CelValue[]) => CelValue,
): CelFunc {
  const parameterTypes: readonly CelType[] = parameters;
  return target === undefined
    ? celFunc(name, parameterTypes, result, (...args: CelValue[]) => run(undefined, args))
    : celMethod(name, target, parameterTypes, result, function (this: CelValue, ...args: CelValue[]) {
        return run(this, args);
      });
}

function meteredMatches(current: () => Meter): (this: string, pattern: string) => boolean {
  const patterns = new LRUCache<string, TextPattern>({ max: maxPatterns });
  return function (pattern) {
    const meter = current();
    let compiled = patterns.get(pattern);
    if (compiled === undefined) {
      meter.spend(pattern.length * charactersPerStep);
      compiled = compileTextPattern(pattern);
      patterns.set(pattern, compiled);
    }
    meter.spend(textSteps(this) * compiled.size);
    return compiled.isFoundIn(this);
  };
}

/** Steps to read a value: of its text only. */
function textSteps(value: CelValue): number {
  const isLong = typeof value === 'string' || value instanceof Uint8Array;
  return isLong ? 1 + value.length / charactersPerStep : 1;
}

/** Steps to read a value with all that it holds; paid on the way, since a value that holds another twice doubles at each level. */
function treeSteps(value: CelValue, meter: Meter): number {
  if (isCelList(value)) {
    meter.spend(1 + value.size);
    for (const item of value) meter.spend(treeSteps(item, meter));
  } else if (isCelMap(value)) {
    meter.spend(1 + value.size);
    for (const [, item] of value) meter.spend(treeSteps(item, meter));
  }
  return textSteps(value);
}

const isTimeWithZone = ({ name, target, arguments: [zone] }: CelFunc): boolean =>
  target !== undefined && name.startsWith('get') && zone === STRING;

/** CEL counts the seconds since the epoch; the library takes milliseconds. */
const isSeconds = ({ name, arguments: [from] }: CelFunc): boolean => name === 'timestamp' && from === INT;
const toMilliseconds = (seconds: CelValue): CelValue =>
  typeof seconds === 'bigint' ? seconds * 1000n : seconds;

const numbers: Readonly<Record<string, RegExp>> = {
  int: /^-?[0-9]+$/,
  uint: /^[0-9]+$/,
  double: /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/,
};

/** Text that the library reads as a number and CEL does not, as `int('')`; and what is too long for a scalar. */
function refuseScalar({ name, target }: CelFunc, value: CelValue | undefined): string | undefined {
  const isConversion =
    target === undefined && (name in numbers || name === 'timestamp' || name === 'duration');
  if (!isConversion || typeof value !== 'string') return undefined;
  const isFine =
    value.length <= maxScalarLength &&
    (numbers[name]?.test(value) ?? true) &&
    (name !== 'timestamp' || isDay(value));
  return isFine ? undefined : `The text is no ${name}.`;
}

/** The library takes the 30th of February for the 2nd of March. */
function isDay(timestamp: string): boolean {
  const day = timestamp.slice(0, 'yyyy-mm-dd'.length);
  const read = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(read.getTime()) && read.toISOString().startsWith(day);
}
