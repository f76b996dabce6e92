import { z } from 'zod';
import { toFailure } from '../../failures/failure.ts';
import { compileImagePattern, maxPatternLength } from '../../image/pattern.ts';
import { withCheck } from './rules.ts';
import type { CelRule } from './rules.ts';

// The grammar of compileImagePattern as one RE2, for the API server. A `*` never stands beside another one, but for
// the `**` that is a whole segment.
const segment = '(?:[*]{1,2}|[*]?[a-z0-9._-]+(?:[*][a-z0-9._-]+)*[*]?)';
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const plainHost = `(?:${label}(?:[.]${label})*|\\[[0-9A-Fa-f:]+\\])`;
const wildcardHost = '[A-Za-z0-9.-]*(?:[*][A-Za-z0-9.-]+)*[*][A-Za-z0-9.-]*';
const wildcardPort = '[0-9]*(?:[*][0-9]+)*[*][0-9]*';
const host = `(?:${plainHost}(?::[1-9][0-9]{0,4})?|[A-Za-z0-9.-]+:${wildcardPort}|${wildcardHost}(?::(?:[0-9]+|${wildcardPort}))?)`;
/** A first segment that is no host, or a whole name: then it is of Docker Hub. */
const onDockerHub = '[*]?[a-z0-9_-]+(?:[*][a-z0-9_-]+)*[*]?';
const name = `(?:${onDockerHub}|(?:${host}|${onDockerHub})(?:/${segment})+)`;
const wildcardDigest = '[a-z0-9]*[*][a-z0-9*]*:[0-9a-f*]+|[a-z0-9]+:[0-9a-f]*[*][0-9a-f*]*';
const pattern = `^(?:[*][*]|${name}(?::[A-Za-z0-9_.*-]+)?(?:@(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|${wildcardDigest}))?)$`;

const byte = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const number = '(?:[0-9]+|0[xX][0-9A-Fa-f]*)';
/** A host whose last label is a number is an IPv4 address for every URL parser, and must be one in full. */
export const plainAddressRule: CelRule = {
  rule: `!self.matches('^(?:[^/:*]*[.]${number}(?::[0-9]+)?|${number}:[0-9]+)/') || self.matches('^${byte}(?:[.]${byte}){3}(?::[0-9]+)?/')`,
  message: 'a host that ends in a number must be an IPv4 address',
};

/** What a URL parser alone can tell, such as `xn--a` being no plain host, is left to the check here. */
export const imagePatternRules: readonly CelRule[] = [
  {
    rule: "self == '**' || !self.startsWith('**')",
    message: '** stands for no host: write */** for any, or ** alone for every image',
  },
  { rule: "!self.matches('^localhost(?:[:@][^/]*)?$')", message: 'a host selects nothing without a path' },
  plainAddressRule,
  {
    rule: `self.matches('${pattern.replaceAll('\\', '\\\\')}')`,
    message:
      'must be ** or host/path[:tag][@digest], with * within a segment and ** for whole segments; a digest is whole, or has *',
  },
];

/** Refused when it is applied: a policy whose pattern does not compile would guard every image, and fail on it. */
export const imagePattern = withCheck(
  z.string().min(1).max(maxPatternLength),
  (text) => {
    try {
      compileImagePattern(text);
      return undefined;
    } catch (error) {
      return toFailure(error).message.replace(/\.$/, '');
    }
  },
  imagePatternRules,
);
