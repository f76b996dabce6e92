/**
 * A bounded number of places that many tenants want. A tenant may take as long as it then holds no more than it
 * leaves free: alone it gets half, and whoever comes next finds room, however greedy the others are.
 */
export class FairPlaces {
  readonly #takenBy = new Map<string, number>();
  #free: number;

  constructor(total: number) {
    this.#free = total;
  }

  /** @returns gives the places back, once; undefined when the tenant may not have them now. */
  take(tenant: string, count = 1): (() => void) | undefined {
    const held = this.#takenBy.get(tenant) ?? 0;
    if (held + count > this.#free) return undefined;
    this.#add(tenant, count);
    return () => {
      this.#add(tenant, -count);
    };
  }

  #add(tenant: string, count: number): void {
    const held = (this.#takenBy.get(tenant) ?? 0) + count;
    if (held === 0) this.#takenBy.delete(tenant);
    else this.#takenBy.set(tenant, held);
    this.#free -= count;
  }
}
