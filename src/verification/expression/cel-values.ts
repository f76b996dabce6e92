import type { CelError, CelList, CelMap, CelValue } from '@bufbuild/cel';

// How @bufbuild/cel knows values of these kinds; its own wrap arrays and Maps, which would have to be made first.
const listMark = Symbol.for('@bufbuild/cel/list');
const mapMark = Symbol.for('@bufbuild/cel/map');

/**
 * JSON, or data of its kinds, as a value of CEL, converted as far as it is looked at. Numbers that are integral and exact
 * are ints, all others doubles; times stay text.
 * @throws TypeError for what JSON has not.
 */
export function toCelValue(data: unknown): CelValue {
  switch (typeof data) {
    case 'string':
    case 'boolean':
      return data;
    case 'number':
      return Number.isSafeInteger(data) ? BigInt(data) : data;
    case 'object':
      if (data === null) return null;
      return Array.isArray(data) ? asList(new JsonList(data)) : asMap(new JsonMap(data));
    default:
      throw new TypeError(`Expressions see no ${typeof data}.`);
  }
}

abstract class LazyList implements Iterable<CelValue> {
  readonly [listMark] = true;
  abstract get size(): number;
  abstract get(index: number): CelValue | undefined;

  *values(): Generator<CelValue> {
    for (let i = 0; i < this.size; i++) {
      const value = this.get(i);
      if (value !== undefined) yield value;
    }
  }

  [Symbol.iterator](): Generator<CelValue> {
    return this.values();
  }
}

class JsonList extends LazyList {
  readonly #items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    super();
    this.#items = items;
  }

  get size(): number {
    return this.#items.length;
  }

  get(index: number): CelValue | undefined {
    const item = Number.isInteger(index) ? this.#items[index] : undefined;
    return item === undefined ? undefined : toCelValue(item);
  }
}

/** Grows at its end without a copy, as `map` and `filter` grow their results by one: those before it keep their size. */
class GrownList extends LazyList {
  readonly #items: CelValue[];
  readonly size: number;

  constructor(items: CelValue[]) {
    super();
    this.#items = items;
    this.size = items.length;
  }

  get(index: number): CelValue | undefined {
    return index < this.size ? this.#items[index] : undefined;
  }

  canGrow(): boolean {
    return this.size === this.#items.length;
  }

  with(further: Iterable<CelValue>): GrownList {
    for (const item of further) this.#items.push(item);
    return new GrownList(this.#items);
  }
}

/** How many values are copied when two lists are joined. */
export function joinCost(left: CelList, right: CelList): number {
  return (left instanceof GrownList && left.canGrow() ? 0 : left.size) + right.size;
}

export function joinLists(left: CelList, right: CelList): CelList {
  // Joined to itself it would grow under its own reading.
  const further = [...right];
  return asList(
    left instanceof GrownList && left.canGrow() ? left.with(further) : new GrownList([...left, ...further]),
  );
}

/** The own properties of an object: no prototype is ever looked at. */
class JsonMap {
  readonly [mapMark] = true;
  readonly #object: Readonly<Record<string, unknown>>;
  #keys: readonly string[] | undefined;

  constructor(object: object) {
    this.#object = object as Readonly<Record<string, unknown>>;
  }

  get size(): number {
    return this.#allKeys().length;
  }

  get(key: unknown): CelValue | undefined {
    const value = this.has(key) ? this.#object[key] : undefined;
    return value === undefined ? undefined : toCelValue(value);
  }

  has(key: unknown): key is string {
    return typeof key === 'string' && Object.hasOwn(this.#object, key) && this.#object[key] !== undefined;
  }

  keys(): MapIterator<string> {
    return new Set(this.#allKeys()).values();
  }

  *values(): Generator<CelValue> {
    for (const [, value] of this.entries()) yield value;
  }

  *entries(): Generator<[string, CelValue]> {
    for (const key of this.#allKeys()) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  forEach(visit: (value: CelValue, key: string) => void): void {
    for (const [key, value] of this.entries()) visit(value, key);
  }

  [Symbol.iterator](): Generator<[string, CelValue]> {
    return this.entries();
  }

  #allKeys(): readonly string[] {
    this.#keys ??= Object.keys(this.#object).filter((key) => this.has(key));
    return this.#keys;
  }
}

const asList = (list: LazyList): CelList => list as unknown as CelList;
const asMap = (map: JsonMap): CelMap => map as unknown as CelMap;

/** What CEL takes a name for; an error where there is nothing of that name, so that naming it fails and says why. */
export type Bindings = Readonly<Record<string, CelValue | CelError>>;
