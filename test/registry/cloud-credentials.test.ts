import { createHash, createHmac } from 'node:crypto';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Account } from '../../src/admission/ports.ts';
import { CloudCredentials } from '../../src/registry/cloud/cloud-credentials.ts';
import { CloudHttp } from '../../src/registry/cloud/cloud-http.ts';
import type { CloudName } from '../../src/registry/cloud/cloud-provider.ts';
import { parseRegistrySettings } from '../../src/registry/registry-settings.ts';

interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}
type Respond = (asked: Asked) => Answer | undefined;

/** An identity service of a cloud on loopback; what it does not know is refused with 401. */
async function serve(respond: Respond): Promise<{ base: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://cloud.test');
      const one = {
        method: request.method ?? '',
        url,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      asked.push(one);
      const { status = 200, headers = {}, body } = respond(one) ?? { status: 401, body: 'the-secret-body' };
      response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

const startMs = Date.parse('2026-06-01T12:00:00Z');
const ecrHost = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';

function credentialsFor(
  host: string,
  cloud: CloudName,
  environment: Record<string, string>,
  registryUrl?: string,
): { credentials: CloudCredentials; ask: () => Promise<Account | undefined>; time: { nowMs: number } } {
  const time = { nowMs: startMs };
  const credentials = new CloudCredentials(new Map([[host, cloud]]), {
    http: new CloudHttp(),
    clock: { nowMs: () => time.nowMs },
    environment,
    ...(registryUrl === undefined ? {} : { registryUrl: () => registryUrl }),
  });
  onTestFinished(() => credentials.close());
  return { credentials, ask: () => credentials.account(host), time };
}

function fileOf(content: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'refwarden-cloud-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  const path = join(directory, 'token');
  writeFileSync(path, content);
  return path;
}

/** AWS Signature Version 4, as the service checks it (AWS IAM User Guide, "Create a signed request"). */
function isSignedBy({ method, url, headers, body }: Asked, secret: string): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/ecr\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  const [, , date = '', region = '', names = '', signature] = match ?? [];
  const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
  const canonical = [
    method,
    url.pathname,
    '',
    ...names.split(';').map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names,
    hex(body),
  ].join('\n');
  const scope = `${date}/${region}/ecr/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hex(canonical)].join('\n');
  const key = [date, region, 'ecr', 'aws4_request'].reduce<string | Buffer>(
    (last, part) => createHmac('sha256', last).update(part).digest(),
    `AWS4${secret}`,
  );
  return createHmac('sha256', key).update(text).digest('hex') === signature;
}

const ecrAnswer = (endsAtMs = startMs + 12 * 3_600_000): Answer => ({
  body: {
    authorizationData: [
      { authorizationToken: Buffer.from('AWS:ecr-password').toString('base64'), expiresAt: endsAtMs / 1000 },
    ],
  },
});
const keys = { AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'the-secret-key' };

describe('Amazon ECR', () => {
  it('gives a token for a signed request, once until five minutes before its end', async () => {
    const { base, asked } = await serve((one) =>
      isSignedBy(one, 'the-secret-key') ? ecrAnswer() : undefined,
    );
    const { ask, time } = credentialsFor(ecrHost, 'ECR', { ...keys, AWS_ENDPOINT_URL_ECR: `${base}/` });
    const account = { username: 'AWS', password: 'ecr-password' };
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([account, account, account]);
    time.nowMs += 12 * 3_600_000 - 5 * 60_000 - 1;
    await ask();
    expect(asked).toHaveLength(1);
    time.nowMs += 1;
    await ask();
    expect(asked).toHaveLength(2);
    expect(asked[0]?.headers['x-amz-target']).toBe(
      'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
    );
    expect(asked[0]?.body).toBe('{}');
  });

  it('is refused with a wrong key, and nothing secret is said', async () => {
    const { base, asked } = await serve((one) =>
      isSignedBy(one, 'the-secret-key') ? ecrAnswer() : undefined,
    );
    const environment = { ...keys, AWS_SECRET_ACCESS_KEY: 'another', AWS_ENDPOINT_URL_ECR: `${base}/` };
    const { ask } = credentialsFor(ecrHost, 'ECR', environment);
    await expect(ask()).rejects.toMatchObject({
      code: 'RegistryUnauthorized',
      message: 'Amazon ECR in eu-west-1, asked for an authorization token: the answer is 401.',
    });
    // Not kept: the next try asks again.
    await expect(ask()).rejects.toMatchObject({ code: 'RegistryUnauthorized' });
    expect(asked).toHaveLength(2);
  });

  it('takes a role by web identity', async () => {
    const { base, asked } = await serve((one) => {
      if (
        one.url.pathname === '/sts' &&
        new URLSearchParams(one.body).get('WebIdentityToken') === 'the-jwt'
      ) {
        const Credentials = {
          AccessKeyId: 'ASIA',
          SecretAccessKey: 'role-secret',
          SessionToken: 'session',
          Expiration: startMs / 1000 + 3600,
        };
        return {
          body: { AssumeRoleWithWebIdentityResponse: { AssumeRoleWithWebIdentityResult: { Credentials } } },
        };
      }
      const isSigned = one.headers['x-amz-security-token'] === 'session' && isSignedBy(one, 'role-secret');
      return isSigned ? ecrAnswer() : undefined;
    });
    const environment = {
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/refwarden',
      AWS_WEB_IDENTITY_TOKEN_FILE: fileOf('the-jwt\n'),
      AWS_ENDPOINT_URL_STS: `${base}/sts`,
      AWS_ENDPOINT_URL_ECR: `${base}/`,
    };
    const { ask } = credentialsFor(ecrHost, 'ECR', environment);
    expect(await ask()).toEqual({ username: 'AWS', password: 'ecr-password' });
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleSessionName: 'refwarden',
      RoleArn: 'arn:aws:iam::123456789012:role/refwarden',
      WebIdentityToken: 'the-jwt',
    });
  });

  it('takes what the Pod Identity agent gives', async () => {
    const { base } = await serve((one) => {
      if (one.url.pathname === '/v1/credentials') {
        const body = {
          AccessKeyId: 'ASIA',
          SecretAccessKey: 'pod-secret',
          Token: 'session',
          Expiration: 'x',
        };
        return one.headers.authorization === 'pod-token' ? { body } : undefined;
      }
      return isSignedBy(one, 'pod-secret') ? ecrAnswer() : undefined;
    });
    const environment = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${base}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: fileOf('pod-token'),
      AWS_ENDPOINT_URL_ECR: `${base}/`,
    };
    expect(await credentialsFor(ecrHost, 'ECR', environment).ask()).toMatchObject({ username: 'AWS' });
  });

  it('takes the role of the instance, by IMDSv2 alone', async () => {
    const { base } = await serve((one) => {
      const { pathname } = one.url;
      if (pathname === '/latest/api/token') return one.method === 'PUT' ? { body: 'imds-token' } : undefined;
      if (pathname.startsWith('/latest/') && one.headers['x-aws-ec2-metadata-token'] !== 'imds-token')
        return undefined;
      const roles = '/latest/meta-data/iam/security-credentials/';
      if (pathname === roles) return { body: 'node-role\n' };
      if (pathname === `${roles}node-role`)
        return { body: { AccessKeyId: 'ASIA', SecretAccessKey: 'node-secret', Token: 'session' } };
      return isSignedBy(one, 'node-secret') ? ecrAnswer() : undefined;
    });
    const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: base, AWS_ENDPOINT_URL_ECR: `${base}/` };
    expect(await credentialsFor(ecrHost, 'ECR', environment).ask()).toMatchObject({ username: 'AWS' });
  });
});

describe('Google', () => {
  it('gives the token of the metadata server', async () => {
    const { base, asked } = await serve((one) =>
      one.headers['metadata-flavor'] === 'Google' && one.url.pathname.endsWith('/default/token')
        ? { body: { access_token: 'ya29', expires_in: 3600, token_type: 'Bearer' } }
        : undefined,
    );
    const environment = { GCE_METADATA_HOST: new URL(base).host };
    const { ask, time } = credentialsFor('europe-docker.pkg.dev', 'Google', environment);
    expect(await ask()).toEqual({ username: 'oauth2accesstoken', password: 'ya29' });
    time.nowMs += 3_600_000 - 5 * 60_000;
    await ask();
    expect(asked).toHaveLength(2);
  });

  it.each<[string, Answer, string]>([
    ['is no JSON', { body: 'the-secret-body' }, 'the answer is no JSON object'],
    ['has no token', { body: { expires_in: 1 } }, 'the answer has no access_token'],
    ['is an error', { status: 503, body: 'the-secret-body' }, 'the answer is 503'],
    [
      'leads elsewhere',
      { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' },
      'the answer is 302',
    ],
    ['does not end', { body: 'x'.repeat(100_000) }, 'there is no answer'],
  ])('T09 names an answer that %s, and nothing of what it holds', async (_what, answer, message) => {
    const { base } = await serve(() => answer);
    const { ask } = credentialsFor('gcr.io', 'Google', { GCE_METADATA_HOST: new URL(base).host });
    const error = await ask().catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({
      code: 'RegistryUnauthorized',
      message: `The metadata server of Google Cloud: ${message}.`,
    });
  });
});

describe('Azure', () => {
  const host = 'acme.azurecr.io';
  const jwt = (exp: number): string =>
    ['{}', JSON.stringify({ exp }), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');
  const refreshToken = jwt(startMs / 1000 + 3 * 3600);
  const exchange = (one: Asked): Answer | undefined => {
    const form = new URLSearchParams(one.body);
    const isRight = form.get('access_token') === 'entra-token' && form.get('service') === host;
    return isRight && form.get('grant_type') === 'access_token'
      ? { body: { refresh_token: refreshToken } }
      : undefined;
  };

  it('exchanges a token of the workload identity for a refresh token of the registry', async () => {
    const { base, asked } = await serve((one) => {
      if (one.url.pathname === '/oauth2/exchange') return exchange(one);
      const form = new URLSearchParams(one.body);
      const isRight = form.get('client_assertion') === 'federated' && form.get('client_id') === 'client';
      return one.url.pathname === '/tenant/oauth2/v2.0/token' && isRight
        ? { body: { access_token: 'entra-token' } }
        : undefined;
    });
    const environment = {
      AZURE_CLIENT_ID: 'client',
      AZURE_TENANT_ID: 'tenant',
      AZURE_AUTHORITY_HOST: `${base}/`,
      AZURE_FEDERATED_TOKEN_FILE: fileOf('federated\n'),
    };
    const { ask, time } = credentialsFor(host, 'ACR', environment, base);
    expect(await ask()).toEqual({ identityToken: refreshToken });
    time.nowMs += 3 * 3_600_000 - 5 * 60_000 - 1;
    await ask();
    expect(asked).toHaveLength(2);
    time.nowMs += 1;
    await ask();
    expect(asked).toHaveLength(4);
  });

  it('takes the managed identity', async () => {
    const { base } = await serve((one) => {
      if (one.url.pathname === '/oauth2/exchange') return exchange(one);
      const isRight = one.headers['metadata'] === 'true' && one.url.searchParams.get('resource') !== null;
      return isRight ? { body: { access_token: 'entra-token' } } : undefined;
    });
    const environment = { AZURE_POD_IDENTITY_TOKEN_URL: `${base}/metadata/identity/oauth2/token` };
    expect(await credentialsFor(host, 'ACR', environment, base).ask()).toEqual({
      identityToken: refreshToken,
    });
  });

  it('says which variable lacks', async () => {
    const { ask } = credentialsFor(host, 'ACR', {
      AZURE_FEDERATED_TOKEN_FILE: '/nowhere',
      AZURE_CLIENT_ID: 'c',
    });
    await expect(ask()).rejects.toMatchObject({
      message:
        'Entra, asked for a token by workload identity: AZURE_CLIENT_ID or AZURE_TENANT_ID is not set.',
    });
  });

  it('says that the file of the token cannot be read', async () => {
    const { ask } = credentialsFor(host, 'ACR', {
      AZURE_FEDERATED_TOKEN_FILE: '/nowhere',
      AZURE_CLIENT_ID: 'c',
      AZURE_TENANT_ID: 't',
    });
    await expect(ask()).rejects.toMatchObject({
      code: 'RegistryUnauthorized',
      message: 'AZURE_FEDERATED_TOKEN_FILE cannot be read: it does not exist.',
    });
  });
});

describe('T09 credentials of a cloud', () => {
  it('are for hosts that were named alone', async () => {
    const { credentials } = credentialsFor('acme.azurecr.io', 'ACR', {});
    expect(credentials.scope('evil.azurecr.io')).toBe('anonymous');
    expect(await credentials.account('evil.azurecr.io')).toBeUndefined();
    expect(credentials.scope('acme.azurecr.io')).toBe('cloud:ACR acme.azurecr.io');
    expect(credentials.explain('acme.azurecr.io')).toContain('identity (ACR)');
  });

  it.each([
    ['ECR', 'registry.example', 'is no private registry of Amazon ECR'],
    [
      'ECR',
      '123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example',
      'is no private registry of Amazon ECR',
    ],
    ['Google', 'evil-gcr.io', 'is no registry of Google'],
    ['Google', 'docker.pkg.dev.example', 'is no registry of Google'],
    ['ACR', 'acme.azurecr.io.evil.example', 'is no registry of Azure'],
  ])('of %s are given to no host as %s', (credentials, host, message) => {
    const settings = JSON.stringify({ registries: [{ host, credentials }] });
    expect(() => parseRegistrySettings(settings)).toThrow(message);
  });

  it.each([
    ['ECR', ecrHost],
    ['ECR', '123456789012.dkr-ecr.us-east-1.on.aws'],
    ['ECR', '123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com'],
    ['Google', 'gcr.io'],
    ['Google', 'eu.gcr.io'],
    ['Google', 'europe-west1-docker.pkg.dev'],
    ['ACR', 'acme.azurecr.cn'],
  ])('of %s may be for %s', (credentials, host) => {
    expect(
      parseRegistrySettings(JSON.stringify({ registries: [{ host, credentials }] })).registries,
    ).toHaveLength(1);
  });

  it('are not sent without TLS, nor by an entry that asks another host', () => {
    const parse = (more: object): unknown =>
      parseRegistrySettings(
        JSON.stringify({ registries: [{ host: 'gcr.io', credentials: 'Google', ...more }] }),
      );
    expect(() => parse({ plainHttp: true })).toThrow('plain HTTP');
    expect(() => parse({ mirror: 'cache.internal' })).toThrow('cache.internal is asked instead');
  });
});
