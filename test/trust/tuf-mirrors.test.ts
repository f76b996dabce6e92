import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { until } from '../support/until.ts';
import { again, openMirrors, referenceTo, rootNamed, serveMirror } from './served-mirror.ts';
import { TufRepository, tufKey } from '../support/tuf-repository.ts';

const [first, second] = [rootNamed('first'), rootNamed('second')];

async function served() {
  const repository = new TufRepository();
  repository.publish(first);
  const mirror = await serveMirror(repository);
  return { repository, mirror, reference: referenceTo(mirror, repository) };
}

function cacheDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tuf-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

const notRead = (host: string, why: string) => ({
  code: 'TrustMaterialMissing',
  message: `The TUF mirror ${host} has not been read yet: ${why}.`,
});

describe('TufMirrors', () => {
  it('says at once that nothing is read yet, and tells when it is', async () => {
    const { mirror, reference } = await served();
    const { mirrors, changes, replaced } = openMirrors([mirror.host]);
    expect(mirrors.material(reference)).toEqual(notRead(mirror.host, 'it is being asked'));
    await mirrors.settled();
    expect(mirrors.material(reference)).toBe(first);
    expect(changes()).toBe(1);
    expect(replaced).toEqual([mirror.host]);
  });

  it('reads one mirror once for all that name it', async () => {
    const { mirror, reference } = await served();
    const { mirrors } = openMirrors([mirror.host]);
    mirrors.material(reference);
    mirrors.material({ ...reference, mirror: `${reference.mirror}/` });
    await mirrors.settled();
    expect(mirrors.status()).toHaveLength(1);
    expect(mirror.asked.filter((path) => path === 'timestamp.json')).toEqual(['timestamp.json']);
  });

  it('reads another target of the same mirror, and names one that is missing', async () => {
    const { repository, mirror, reference } = await served();
    repository.publish(second, 'acme.trusted_root.json');
    const { mirrors } = openMirrors([mirror.host]);
    const other = { ...reference, target: 'acme.trusted_root.json' };
    mirrors.material(reference);
    mirrors.material(other);
    await mirrors.settled();
    expect(mirrors.material(other)).toBe(second);
    expect(mirrors.material(reference)).toEqual(notRead(mirror.host, 'it has no target trusted_root.json'));
  });

  it('follows what is published, and fetches a target that did not change only once', async () => {
    const { repository, mirror, reference } = await served();
    const { mirrors, changes } = openMirrors([mirror.host], { timing: again });
    mirrors.material(reference);
    await mirrors.settled();
    const timestamps = () => mirror.asked.filter((path) => path === 'timestamp.json').length;
    await until(() => {
      expect(timestamps()).toBeGreaterThan(3);
    });
    expect(mirror.asked.filter((path) => path.startsWith('targets/'))).toHaveLength(1);
    expect(changes()).toBe(1);
    repository.publish(second);
    await until(() => {
      expect(mirrors.material(reference)).toBe(second);
    });
    expect(changes()).toBe(2);
  });

  it('follows rotations of the root, by two of three keys each', async () => {
    const { repository, mirror, reference } = await served();
    const { mirrors } = openMirrors([mirror.host], { timing: again });
    mirrors.material(reference);
    await mirrors.settled();
    repository.rotate({ rootKeys: [tufKey(), tufKey(), tufKey()], onlineKey: tufKey() });
    repository.rotate({ onlineKey: tufKey() });
    repository.publish(second);
    await until(() => {
      expect(mirrors.material(reference)).toBe(second);
    });
  });

  it('answers again once a mirror that was down at the start is up', async () => {
    const { mirror, reference } = await served();
    await mirror.close();
    const { mirrors, failed } = openMirrors([mirror.host], { timing: again });
    mirrors.material(reference);
    await mirrors.settled();
    expect(mirrors.material(reference)).toEqual(
      notRead(
        mirror.host,
        `${mirror.host}/2.root.json: the connection failed (ECONNREFUSED). Nobody listens there: check host and port`,
      ),
    );
    expect(failed[0]).toMatchObject({ keeps: false });
    await mirror.listen();
    await until(() => {
      expect(mirrors.material(reference)).toBe(first);
    });
  });

  it('keeps what was last good while the mirror fails, and counts', async () => {
    const { mirror, reference } = await served();
    const { mirrors, failed, changes } = openMirrors([mirror.host], { timing: again });
    mirrors.material(reference);
    await mirrors.settled();
    mirror.intercept = (_, response) => {
      response.writeHead(503).end();
      return true;
    };
    await until(() => {
      expect(failed.length).toBeGreaterThan(1);
    });
    expect(failed[0]).toMatchObject({
      failure: {
        code: 'TrustMaterialMissing',
        message: `${mirror.host}/2.root.json: answered with HTTP status 503`,
      },
      keeps: true,
    });
    expect(mirrors.material(reference)).toBe(first);
    expect(changes()).toBe(1);
    const [status] = mirrors.status();
    expect(status?.failures).toBeGreaterThan(1);
    expect(status?.verifiedAtMs).toBeGreaterThan(Date.now() - 60_000);
    expect(status?.expiresAtMs).toBeGreaterThan(Date.now());
  });

  it('waits for nobody: a mirror that never answers leaves the answer as it is', async () => {
    const { mirror, reference } = await served();
    mirror.intercept = () => true;
    const { mirrors, close } = openMirrors([mirror.host]);
    mirrors.material(reference);
    await until(() => {
      expect(mirror.asked).toEqual(['2.root.json']);
    });
    expect(mirrors.material(reference)).toEqual(notRead(mirror.host, 'it is being asked'));
    await close();
  });

  it('gives a mirror that answers too slowly up for now', async () => {
    const { mirror, reference } = await served();
    mirror.intercept = () => true;
    const { mirrors } = openMirrors([mirror.host], { timing: { readingMs: 50 } });
    mirrors.material(reference);
    await mirrors.settled();
    expect(mirrors.material(reference)).toEqual(
      notRead(mirror.host, `${mirror.host}/2.root.json: the time for asking ended`),
    );
  });

  it('leaves no temporary files', async () => {
    const { mirror, reference } = await served();
    const directory = cacheDirectory();
    const { mirrors, close } = openMirrors([mirror.host], { directory });
    mirrors.material(reference);
    await mirrors.settled();
    await close();
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
    expect(statSync(join(directory, readdirSync(directory)[0] ?? '')).mode & 0o777).toBe(0o600);
  });

  it('bounds how many mirrors are named', async () => {
    const { mirror, reference } = await served();
    const { mirrors } = openMirrors([mirror.host]);
    const answers = Array.from({ length: 33 }, (_, index) =>
      mirrors.material({ ...reference, target: `root-${index}.json` }),
    );
    expect(answers.at(-1)).toEqual({
      code: 'TrustMaterialMissing',
      message: 'More than 32 TUF mirrors are named.',
    });
    await mirrors.settled();
  });

  it('has roots for the mirrors of Sigstore and GitHub, and for no others', () => {
    const { mirrors } = openMirrors([]);
    const material = (mirror: string) =>
      mirrors.material({ kind: 'tuf', mirror, target: 'trusted_root.json' });
    expect(material('https://tuf.example')).toEqual({
      code: 'TrustMaterialMissing',
      message: 'The TUF mirror https://tuf.example needs the root.json to start from.',
    });
    expect(mirrors.status()).toEqual([]);
  });
});

describe('T25 T34 what a TUF mirror may not serve', () => {
  /** A mirror that was read once, then attacked; what it served before stays in force. */
  async function attacked(
    attack: (repository: TufRepository) => void,
    why: RegExp,
    code = 'TrustMaterialInvalid',
  ): Promise<void> {
    const { repository, mirror, reference } = await served();
    repository.publish(second);
    const { mirrors, failed } = openMirrors([mirror.host], { timing: again });
    mirrors.material(reference);
    await mirrors.settled();
    attack(repository);
    await until(() => {
      expect(failed.length).toBeGreaterThan(0);
    });
    expect(failed[0]?.failure).toEqual({ code, message: expect.stringMatching(why) as unknown });
    expect(failed[0]?.keeps).toBe(true);
    expect(mirrors.material(reference)).toBe(second);
  }

  it('metadata older than what was seen (rollback)', () =>
    attacked(
      (repository) => repository.files.set('timestamp.json', repository.timestamp(1, tomorrow())),
      /^its metadata is refused \(New timestamp version 1 is less than current version 2\)$/,
    ));

  it('metadata that has expired (freeze)', () =>
    attacked((repository) => {
      repository.publish(first, undefined, { expires: new Date(Date.now() - 1_000) });
    }, /^its metadata has expired \(Final timestamp\.json is expired\)$/));

  it('metadata that another key signed', () =>
    attacked((repository) => {
      repository.publish(first, undefined, { timestampKey: tufKey() });
    }, /^its metadata is refused \(timestamp was signed by 0\/1 keys\)$/));

  it('a root that too few of the keys before signed', () =>
    attacked((repository) => {
      const rootKeys = [tufKey(), tufKey(), tufKey()];
      const [one] = repository.rootKeys;
      repository.rotate({ rootKeys }, [...(one === undefined ? [] : [one]), ...rootKeys]);
      repository.publish(first);
    }, /^its metadata is refused \(root was signed by 1\/2 keys\)$/));

  it('a root that too few of its own keys signed', () =>
    attacked((repository) => {
      repository.rotate({ rootKeys: [tufKey(), tufKey(), tufKey()] }, repository.rootKeys.slice(0, 2));
      repository.publish(first);
    }, /^its metadata is refused \(root was signed by 0\/2 keys\)$/));

  it('a target with other content than its hash', () =>
    attacked((repository) => {
      repository.publish(first);
      for (const path of repository.files.keys()) {
        if (path.startsWith('targets/')) repository.files.set(path, Buffer.from(rootNamed('evil!')));
      }
    }, /^target trusted_root\.json is not what its metadata says$/));

  it('a target that only its length tells', () =>
    attacked((repository) => {
      repository.publish(first, undefined, { described: { length: first.length, hashes: {} } });
    }, /^target trusted_root\.json has neither SHA-256 nor SHA-512 in its metadata$/));

  it('a snapshot of another length than the timestamp says', () =>
    attacked((repository) => {
      repository.publish(first, undefined, { snapshotLength: 1_000 });
    }, /^its metadata is refused \(snapshot: Expected length 1000 but got \d+\)$/));

  it('what is no trusted root, although it is signed', () =>
    attacked((repository) => {
      repository.publish('{"mediaType":"text/plain"}');
    }, /^target trusted_root\.json: is not a Sigstore trusted root by its mediaType\.$/));

  it('what is no text', () =>
    attacked((repository) => {
      repository.publish(Buffer.from([0xff, 0xfe]));
    }, /^target trusted_root\.json is not valid UTF-8$/));

  it('T26 metadata with duplicate keys', () =>
    attacked(
      (repository) => {
        repository.files.set('timestamp.json', Buffer.from('{"signed":{},"signed":{}}'));
      },
      /timestamp\.json .*"signed"/,
      'JsonInvalid',
    ));

  it('T31 an error page: nothing of it is told', () =>
    attacked(
      (repository) => {
        repository.files.set('timestamp.json', Buffer.from('<html>password=hunter2</html>'));
      },
      /^127\.0\.0\.1:\d+\/timestamp\.json is not valid JSON\.$/,
      'JsonInvalid',
    ));

  it('T11 metadata and targets without end', async () => {
    for (const endless of ['timestamp.json', '.snapshot.json', 'targets/']) {
      const { repository, mirror, reference } = await served();
      if (endless === '.snapshot.json') repository.publish(first, undefined, { snapshotLength: 1e12 });
      mirror.intercept = (request, response) => {
        if (!(request.url ?? '').includes(endless)) return false;
        response.on('error', () => undefined);
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 0x20)));
        };
        response.on('drain', more);
        more();
        return true;
      };
      const { mirrors } = openMirrors([mirror.host]);
      mirrors.material(reference);
      await mirrors.settled();
      expect(mirrors.material(reference)).toMatchObject({
        code: 'TrustMaterialMissing',
        message: expect.stringMatching(/: the answer is larger than (16384|1048576) bytes\.$/) as unknown,
      });
    }
  });

  it('T11 new roots without end: some are followed in one go, the rest in the next', async () => {
    const { repository, mirror, reference } = await served();
    for (let index = 0; index < 70; index++) repository.rotate();
    const { mirrors } = openMirrors([mirror.host], { timing: again });
    mirrors.material(reference);
    await until(() => {
      expect(mirror.asked).toContain('72.root.json');
    });
    expect(mirror.asked.indexOf('timestamp.json')).toBe(64);
    expect(mirror.asked.filter((path) => path === '66.root.json')).toHaveLength(1);
  });

  it('a root to start from that is none', async () => {
    const { mirror, reference } = await served();
    const { mirrors } = openMirrors([mirror.host]);
    const unsigned = JSON.stringify({ ...(JSON.parse(reference.root ?? '') as object), signatures: [] });
    for (const root of ['{}', 'no JSON', unsigned]) mirrors.material({ ...reference, root });
    await mirrors.settled();
    for (const root of ['{}', 'no JSON', unsigned]) {
      expect(mirrors.material({ ...reference, root })).toEqual(
        notRead(mirror.host, 'the root to start from is no signed TUF root'),
      );
    }
    expect(mirror.asked).toEqual([]);
  });

  it('a root of somebody else', async () => {
    const { mirror, reference } = await served();
    const { mirrors } = openMirrors([mirror.host]);
    const stranger = { ...reference, root: new TufRepository().root };
    mirrors.material(stranger);
    await mirrors.settled();
    expect(mirrors.material(stranger)).toEqual(
      notRead(mirror.host, 'its metadata is refused (timestamp was signed by 0/1 keys)'),
    );
  });
});

describe('T10 where a TUF mirror may be, and may lead', () => {
  it('refuses this machine unless it is allowed by name', async () => {
    const { mirror, reference } = await served();
    const { mirrors } = openMirrors([]);
    mirrors.material(reference);
    await mirrors.settled();
    expect(mirrors.material(reference)).toEqual(
      notRead(
        mirror.host,
        '127.0.0.1 is not asked: its address is local to the cluster or the machine, and it is not allowed by name',
      ),
    );
    expect(mirror.asked).toEqual([]);
  });

  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:a9fe:a9fe]/',
    'http://localhost.:1/',
    'http://user@tuf.example/',
    'file:///etc/passwd',
  ])('follows no redirect to %s', async (location) => {
    const { mirror, reference } = await served();
    mirror.intercept = (_, response) => {
      response.writeHead(307, { location }).end();
      return true;
    };
    const { mirrors } = openMirrors([mirror.host]);
    mirrors.material(reference);
    await mirrors.settled();
    expect(mirrors.material(reference)).toEqual({
      code: 'TrustMaterialMissing',
      message: expect.stringMatching(/ is not asked: | without a user are asked\.$/) as unknown,
    });
  });

  it('follows redirects that end, and no others', async () => {
    const { mirror, reference } = await served();
    mirror.intercept = ({ url = '' }, response) => {
      if (url.includes('?moved')) return false;
      response.writeHead(302, { location: `${url}?moved` }).end();
      return true;
    };
    const { mirrors } = openMirrors([mirror.host]);
    mirrors.material(reference);
    await mirrors.settled();
    expect(mirrors.material(reference)).toBe(first);
    mirror.intercept = ({ url = '' }, response) => {
      response.writeHead(302, { location: url }).end();
      return true;
    };
    const other = { ...reference, target: 'other.json' };
    mirrors.material(other);
    await mirrors.settled();
    expect(mirrors.material(other)).toEqual(
      notRead(mirror.host, `${mirror.host}/2.root.json: more than 3 redirects`),
    );
  });
});

describe('what the cache directory keeps of TUF mirrors', () => {
  async function kept() {
    const all = await served();
    const directory = cacheDirectory();
    const before = openMirrors([all.mirror.host], { directory });
    before.mirrors.material(all.reference);
    await before.mirrors.settled();
    await before.close();
    const [name = ''] = readdirSync(directory);
    all.mirror.asked.length = 0;
    return { ...all, directory, file: join(directory, name) };
  }

  it('is in force after a restart without asking, while it is young', async () => {
    const { mirror, reference, directory } = await kept();
    await mirror.close();
    const { mirrors, changes } = openMirrors([mirror.host], { directory });
    mirrors.material(reference);
    await mirrors.settled();
    expect(mirrors.material(reference)).toBe(first);
    expect(changes()).toBe(1);
    expect(mirror.asked).toEqual([]);
  });

  it('is in force while it is asked for anew, when it is old', async () => {
    const { mirror, reference, directory } = await kept();
    mirror.intercept = () => true;
    const { mirrors } = openMirrors([mirror.host], { directory, timing: { refreshMs: 0 } });
    mirrors.material(reference);
    await until(() => {
      expect(mirror.asked).toEqual(['2.root.json']);
    });
    expect(mirrors.material(reference)).toBe(first);
  });

  it('stays in force after its timestamp expired, and says so', async () => {
    const { repository, mirror, reference, directory } = await kept();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 8 * 24 * 60 * 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    const { mirrors, failed } = openMirrors([mirror.host], { directory });
    mirrors.material(reference);
    await mirrors.settled();
    expect(failed).toEqual([
      {
        failure: {
          code: 'TrustMaterialInvalid',
          message: expect.stringMatching(
            /^its metadata has expired \(.*timestamp\.json is expired\)$/,
          ) as unknown,
        },
        keeps: true,
      },
    ]);
    expect(mirrors.material(reference)).toBe(first);
    expect(mirrors.status()[0]?.expiresAtMs).toBeLessThan(Date.now());
    expect(repository.version).toBe(1);
  });

  it('T25 protects from rollback across restarts', async () => {
    const { repository, mirror, reference, directory } = await kept();
    repository.publish(second);
    const current = openMirrors([mirror.host], { directory, timing: { refreshMs: 0 } });
    current.mirrors.material(reference);
    await until(() => {
      expect(current.mirrors.material(reference)).toBe(second);
    });
    await current.close();
    repository.files.set('timestamp.json', repository.timestamp(1, tomorrow()));
    const { mirrors, failed } = openMirrors([mirror.host], { directory, timing: again });
    mirrors.material(reference);
    await until(() => {
      expect(failed[0]?.failure.message).toMatch(/New timestamp version 1 is less than current version 2/);
    });
    expect(mirrors.material(reference)).toBe(second);
  });

  it.each([
    ['cut short', (text: string) => text.slice(0, -20)],
    ['altered', (text: string) => text.replace('first', 'fIrst')],
    ['empty', () => ''],
  ])('is read anew from the mirror when it is %s', async (_, spoil) => {
    const { mirror, reference, directory, file } = await kept();
    writeFileSync(file, spoil(readFileSync(file, 'utf8')));
    const { mirrors, diskFailed } = openMirrors([mirror.host], { directory });
    mirrors.material(reference);
    await mirrors.settled();
    expect(mirrors.material(reference)).toBe(first);
    expect(diskFailed).toEqual([new Error('The file is not what was written.')]);
    expect(mirror.asked).toContain('timestamp.json');
  });

  it('does without a directory that fails', async () => {
    const { mirror, reference } = await served();
    const directory = cacheDirectory();
    const { mirrors, diskFailed } = openMirrors([mirror.host], { directory, timing: again });
    mirrors.material(reference);
    await mirrors.settled();
    rmSync(directory, { recursive: true });
    await until(() => {
      expect(diskFailed.length).toBeGreaterThan(0);
    });
    expect(mirrors.material(reference)).toBe(first);
  });

  it('is not shared by other roots to start from', async () => {
    const { mirror, reference, directory } = await kept();
    const { mirrors } = openMirrors([mirror.host], { directory });
    const stranger = { ...reference, root: new TufRepository().root };
    mirrors.material(stranger);
    await mirrors.settled();
    expect(mirrors.material(stranger)).toEqual(
      notRead(mirror.host, 'its metadata is refused (timestamp was signed by 0/1 keys)'),
    );
  });
});

const tomorrow = (): Date => new Date(Date.now() + 24 * 60 * 60_000);
