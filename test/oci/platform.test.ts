import { describe, expect, it } from 'vitest';
import type { Platform } from '../../src/oci/descriptor.ts';
import { formatPlatform, matchesPlatform, parsePlatform } from '../../src/oci/platform.ts';

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

describe('whether a node of a platform might run an entry', () => {
  it.each([
    ['linux/amd64', 'linux/amd64', true],
    ['linux/amd64', 'linux/x86_64', true],
    ['linux/amd64', 'linux/amd64/v3', true],
    ['linux/amd64', 'linux/arm64', false],
    ['linux/amd64', 'windows/amd64', false],
    ['linux/arm64', 'linux/aarch64', true],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm64', 'linux/arm64/v9', true],
    ['linux/arm/v7', 'linux/arm', true],
    ['linux/arm/v7', 'linux/arm/7', true],
    ['linux/arm/v7', 'linux/arm/v6', false],
    ['linux/arm', 'linux/arm/v6', true],
    ['linux/386', 'linux/i386', true],
  ])('%s, %s: %s', (wanted, actual, expected) => {
    expect(matchesPlatform(platform(wanted), platform(actual))).toBe(expected);
  });

  it.each(['constructor', '__proto__'])('takes %s for nothing else than its name', (name) => {
    const odd = { os: 'linux', architecture: name };
    expect(matchesPlatform(odd, odd)).toBe(true);
    expect(matchesPlatform(platform('linux/amd64'), odd)).toBe(false);
  });
});
