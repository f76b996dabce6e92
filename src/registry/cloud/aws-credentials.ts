import { RefwardenError } from '../../failures/failure.ts';
import { isJsonObject } from '../../oci/strict-json.ts';
import type { Json, JsonObject } from '../../oci/strict-json.ts';
import { textIn } from './cloud-http.ts';
import type { CloudMeans } from './cloud-provider.ts';
import { readTokenFile } from './token-file.ts';

const metadataTokenSeconds = '300';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Of the environment, as the SDKs look for them: keys, a role by web identity (IRSA), the Pod Identity agent or a container
 * endpoint, and the metadata service of the instance (AWS SDKs and Tools Reference, "Standardized credential providers").
 * @throws RefwardenError `RegistryUnauthorized`
 */
export async function awsCredentials(region: string, means: CloudMeans): Promise<AwsCredentials> {
  const { environment } = means;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const sessionToken = environment['AWS_SESSION_TOKEN'];
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  }
  const tokenFile = environment['AWS_WEB_IDENTITY_TOKEN_FILE'];
  if (tokenFile !== undefined) return byWebIdentity(tokenFile, region, means);
  const endpoint = environment['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  if (endpoint !== undefined) return byContainerEndpoint(endpoint, means);
  return byInstance(means);
}

async function byWebIdentity(
  file: string,
  region: string,
  { http, environment }: CloudMeans,
): Promise<AwsCredentials> {
  const what = 'AWS STS, asked to assume a role by web identity';
  const role = environment['AWS_ROLE_ARN'];
  if (role === undefined)
    throw new RefwardenError('RegistryUnauthorized', `${what}: AWS_ROLE_ARN is not set.`);
  const token = await readTokenFile(file, 'AWS_WEB_IDENTITY_TOKEN_FILE');
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: environment['AWS_ROLE_SESSION_NAME'] ?? 'refwarden',
    WebIdentityToken: token,
  }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
  const suffix = region.startsWith('cn-') ? '.cn' : '';
  const url = new URL(environment['AWS_ENDPOINT_URL_STS'] ?? `https://sts.${region}.amazonaws.com${suffix}/`);
  const answer = await http.json({ url, method: 'POST', headers, body, what });
  const found = [
    'AssumeRoleWithWebIdentityResponse',
    'AssumeRoleWithWebIdentityResult',
    'Credentials',
  ].reduce<Json | undefined>((node, key) => (isJsonObject(node) ? node[key] : undefined), answer);
  return readCredentials(isJsonObject(found) ? found : {}, 'SessionToken', what);
}

async function byContainerEndpoint(
  endpoint: string,
  { http, environment }: CloudMeans,
): Promise<AwsCredentials> {
  const what = 'The container credentials endpoint of AWS';
  const url = new URL(endpoint);
  const file = environment['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  const token =
    file === undefined
      ? environment['AWS_CONTAINER_AUTHORIZATION_TOKEN']
      : await readTokenFile(file, 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE');
  const headers = token === undefined ? {} : { authorization: token };
  return readCredentials(await http.json({ url, method: 'GET', headers, what }), 'Token', what);
}

/** IMDSv2 only (Amazon EC2, "Use the Instance Metadata Service"). */
async function byInstance({ http, environment }: CloudMeans): Promise<AwsCredentials> {
  const what = 'The instance metadata service of AWS';
  const base = environment['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? 'http://169.254.169.254';
  const at = (path: string): URL => new URL(`/latest/${path}`, base);
  const text = async (request: Parameters<typeof http.text>[0]): Promise<string> =>
    Buffer.from(await http.text(request))
      .toString('utf8')
      .trim();
  const ttl = { 'x-aws-ec2-metadata-token-ttl-seconds': metadataTokenSeconds };
  const token = await text({ url: at('api/token'), method: 'PUT', headers: ttl, what });
  const headers = { 'x-aws-ec2-metadata-token': token };
  const roles = 'meta-data/iam/security-credentials/';
  const [role = ''] = (await text({ url: at(roles), method: 'GET', headers, what })).split('\n');
  const url = at(roles + encodeURIComponent(role));
  return readCredentials(await http.json({ url, method: 'GET', headers, what }), 'Token', what);
}

const readCredentials = (answer: JsonObject, tokenField: string, what: string): AwsCredentials => ({
  accessKeyId: textIn(answer, 'AccessKeyId', what),
  secretAccessKey: textIn(answer, 'SecretAccessKey', what),
  sessionToken: textIn(answer, tokenField, what),
});
