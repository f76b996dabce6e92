import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority } from '../../src/certificates/issue-certificates.ts';
import { fingerprintsOf, parseCertificates, toPem } from '../../src/certificates/pem-bundle.ts';
import { RegisteredAuthorities } from '../../src/kubernetes/registered-authorities.ts';

const nowMs = Date.now();
const unread = 'The webhook configurations could not be read yet.';
const untold = 'The API server was not told yet of the authority of the serving certificate.';
const follower = { isHolder: false, isNewHolder: false };
const holder = { isHolder: true, isNewHolder: false };
const newHolder = { isHolder: true, isNewHolder: true };

let mine: string;
let former: string;
let stranger: string;
let own: string | undefined;
let isRead: boolean;
let isAble: boolean;
let authorities: RegisteredAuthorities;

beforeAll(async () => {
  const term = { fromMs: nowMs, lifetimeMs: 3_600_000 };
  const made = await Promise.all(['mine', 'former', 'stranger'].map((name) => createAuthority(name, term)));
  [mine = '', former = '', stranger = ''] = made.map(({ certPem }) => toPem(parseCertificates(certPem)));
});
beforeEach(() => {
  [own, isRead, isAble] = [mine, true, true];
  authorities = new RegisteredAuthorities({
    own: () => (own === 'gone' ? Promise.reject(new Error('no such file')) : Promise.resolve(own)),
    isRead: () => isRead,
    isAble: () => isAble,
  });
});
const state = (): unknown[] => [authorities.missing, authorities.isStranded, authorities.isReadable];

describe('RegisteredAuthorities', () => {
  it('misses nothing where nobody is called, and registers its own', async () => {
    expect(state()).toEqual([unread, false, true]);
    expect(await authorities.next({ bundles: [], ...holder }, '', nowMs)).toBe(mine);
    expect([...state(), authorities.vouched]).toEqual([undefined, false, true, fingerprintsOf(mine)]);
  });

  it('is stranded while the webhooks are called by others’', async () => {
    await authorities.next({ bundles: [former], ...follower }, '', nowMs);
    expect([...state(), authorities.vouched]).toEqual([untold, true, true, undefined]);
    // What comes later takes a while until every API server has it.
    await authorities.next({ bundles: [former + mine], ...follower }, '', nowMs);
    expect(state()).toEqual([untold, true, true]);
    expect([authorities.isPropagated(mine), authorities.isPropagated(former)]).toEqual([false, true]);
  });

  it('misses nothing any more once it was told of', async () => {
    await authorities.next({ bundles: [mine], ...follower }, '', nowMs);
    expect(state()).toEqual([undefined, false, true]);
    await authorities.next({ bundles: [former], ...follower }, '', nowMs);
    expect(state()).toEqual([undefined, true, true]);
  });

  it('T38 takes over what the last holder vouched for, and no stranger’s', async () => {
    const bundles = [former + stranger];
    expect(await authorities.next({ bundles, ...newHolder }, fingerprintsOf(former), nowMs)).toBe(
      mine + former,
    );
    expect(authorities.vouched).toBe(fingerprintsOf(mine + former));
    await authorities.next({ bundles, ...follower }, '', nowMs);
    expect(authorities.vouched).toBeUndefined();
  });

  it('takes over nothing without the lease', async () => {
    const bundles = [former];
    await authorities.next({ bundles, ...follower }, fingerprintsOf(former), nowMs);
    expect(await authorities.next({ bundles, ...holder }, fingerprintsOf(former), nowMs)).toBe(mine);
  });

  it('is not stranded where its own cannot be read: the lease would not help', async () => {
    own = 'gone';
    await expect(authorities.next({ bundles: [former], ...follower }, '', nowMs)).rejects.toThrow('no such');
    const unreadable = 'The authority of the serving certificate cannot be read.';
    expect(state()).toEqual([unreadable, false, false]);
    own = mine;
    await authorities.next({ bundles: [former], ...follower }, '', nowMs);
    expect(state()).toEqual([untold, true, true]);
  });

  it('is not stranded before it is known what there is, and is where there is none', async () => {
    [own, isRead] = [undefined, false];
    expect(await authorities.next({ bundles: [former], ...follower }, '', nowMs)).toBeUndefined();
    expect(state()).toEqual([untold, false, false]);
    isRead = true;
    expect(await authorities.next({ bundles: [former], ...follower }, '', nowMs)).toBeUndefined();
    expect(state()).toEqual([untold, true, true]);
  });

  it('registers nothing while this replica could not answer', async () => {
    isAble = false;
    expect(await authorities.next({ bundles: [], ...holder }, '', nowMs)).toBeUndefined();
    expect(authorities.vouched).toBeUndefined();
  });

  it('never registers what is no certificate: nobody could be called', async () => {
    own = mine.replaceAll('BEGIN CERTIFICATE', 'BEGIN X509 CERTIFICATE');
    await expect(authorities.next({ bundles: [], ...holder }, '', nowMs)).rejects.toMatchObject({
      code: 'ConfigurationInvalid',
    });
    expect(authorities.isReadable).toBe(false);
  });
});
