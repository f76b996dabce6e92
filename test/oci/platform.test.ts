import { describe, expect, it } from 'vitest';
import type { Platform } from '../../src/oci/descriptor.ts';
import { formatPlatform, isMeantFor, mayRunOn, parsePlatform } from '../../src/oci/platform.ts';

const platform = (text: string): Platform => {
  const parsed = parsePlatform(text);
  if (parsed === undefined) throw new Error(`${text} is no platform`);
  return parsed;
};

describe('names of platforms', () => {
  it.each(['linux/amd64', 'linux/arm/v7', 'windows/amd64', 'linux/riscv64'])('%s is one', (text) => {
    expect(formatPlatform(platform(text))).toBe(text);
  });

  it.each([
    '',
    'linux',
    'linux/',
    '/amd64',
    'linux/arm/v7/x',
    'Linux/amd64',
    'linux/amd 64',
    `linux/${'a'.repeat(200)}`,
  ])('%j is none', (text) => {
    expect(parsePlatform(text)).toBeUndefined();
  });
});

/** What a node of the first makes of an entry of the second: `its own`, `perhaps`, `never`. */
describe('an entry of an index, to a node', () => {
  const entry = (text: string): Platform => {
    const [os = '', architecture = '', variant] = text.split('/');
    return { os, architecture, ...(variant === undefined ? {} : { variant }) };
  };
  it.each([
    ['linux/amd64', 'linux/amd64', 'its own'],
    ['linux/amd64', 'linux/x86_64', 'its own'],
    ['linux/amd64', 'linux/amd64/v1', 'its own'],
    ['linux/amd64', 'linux/amd64/v9', 'perhaps'],
    ['linux/amd64', '/amd64', 'perhaps'],
    ['linux/amd64', 'linux/', 'perhaps'],
    ['linux/amd64', 'linux/386', 'perhaps'],
    ['linux/amd64', 'LINUX/AMD64', 'its own'],
    ['linux/amd64', 'linux/arm64', 'never'],
    ['linux/amd64', 'windows/amd64', 'never'],
    ['linux/amd64/v1', 'linux/x86_64/v3', 'perhaps'],
    ['linux/386', 'linux/amd64', 'never'],
    ['linux/386', 'linux/i386', 'its own'],
    ['linux/arm64', 'linux/aarch64', 'its own'],
    ['linux/arm64', 'linux/arm64/v8', 'its own'],
    ['linux/arm64/v8', 'linux/arm64', 'its own'],
    ['linux/arm64', 'linux/arm64/v99', 'perhaps'],
    ['linux/arm64', 'linux/arm/v7', 'perhaps'],
    ['linux/arm/v7', 'linux/arm', 'its own'],
    ['linux/arm/v7', 'linux/arm/7', 'its own'],
    ['linux/arm/v7', 'linux/armhf', 'its own'],
    ['linux/arm/v7', 'linux/arm/v6', 'perhaps'],
    ['linux/arm', 'linux/armel', 'its own'],
    ['linux/arm', 'linux/arm/v6', 'its own'],
    ['darwin/arm64', 'macos/arm64', 'its own'],
  ])('of %s, %s is %s', (wanted, actual, expected) => {
    const [node, actually] = [entry(wanted), entry(actual)];
    const answer = isMeantFor(node, actually) ? 'its own' : mayRunOn(node, actually) ? 'perhaps' : 'never';
    expect(answer).toBe(expected);
    if (answer === 'its own') expect(mayRunOn(node, actually)).toBe(true);
  });

  it.each(['constructor', '__proto__'])('takes %s for nothing else than its name', (name) => {
    const odd = { os: 'linux', architecture: name };
    expect(isMeantFor(odd, odd)).toBe(true);
    expect(mayRunOn(entry('linux/amd64'), odd)).toBe(false);
  });
});
