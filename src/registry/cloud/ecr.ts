import { AwsV4Signer } from 'aws4fetch';
import { RefwardenError } from '../../failures/failure.ts';
import { isJsonObject } from '../../oci/strict-json.ts';
import { awsCredentials } from './aws-credentials.ts';
import { textIn } from './cloud-http.ts';
import type { CloudProvider } from './cloud-provider.ts';

const registryHost = /^[0-9]{12}\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(\.cn)?|on\.aws)$/;
const action = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';

/** Amazon ECR: an authorization token of the region (Amazon ECR API Reference, GetAuthorizationToken; AWS Signature V4). */
export const ecr: CloudProvider = {
  refuses: (host) =>
    registryHost.test(host)
      ? undefined
      : 'is no private registry of Amazon ECR: those are ACCOUNT.dkr.ecr.REGION.amazonaws.com',
  keyOf: (host) => `ECR ${endpointOf(host).region}`,
  account: async (host, means) => {
    const { region, url: standard } = endpointOf(host);
    const what = `Amazon ECR in ${region}, asked for an authorization token`;
    const url = means.environment['AWS_ENDPOINT_URL_ECR'] ?? standard;
    const signed = await new AwsV4Signer({
      ...(await awsCredentials(region, means)),
      url,
      method: 'POST',
      service: 'ecr',
      region,
      body: '{}',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': action },
      datetime: new Date(means.clock.nowMs()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    }).sign();
    const answer = await means.http.json({
      url: signed.url,
      method: 'POST',
      body: '{}',
      what,
      headers: Object.fromEntries(signed.headers),
    });
    const [data] = Array.isArray(answer['authorizationData']) ? answer['authorizationData'] : [];
    const authorization = isJsonObject(data) ? data : {};
    const text = Buffer.from(textIn(authorization, 'authorizationToken', what), 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 1) throw new RefwardenError('RegistryUnauthorized', `${what}: the token has no user.`);
    const seconds = typeof authorization['expiresAt'] === 'number' ? authorization['expiresAt'] : 0;
    return {
      account: { username: text.slice(0, colon), password: text.slice(colon + 1) },
      endsAtMs: seconds * 1000,
    };
  },
};

function endpointOf(host: string): { readonly region: string; readonly url: string } {
  const [, fips = '', region = '', china = ''] = registryHost.exec(host) ?? [];
  const name = fips === '' ? 'api.ecr' : 'ecr-fips';
  return { region, url: `https://${name}.${region}.amazonaws.com${china}/` };
}
