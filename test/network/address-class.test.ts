import { describe, expect, it } from 'vitest';
import { classifyAddress, isMoreLocal } from '../../src/network/address-class.ts';

describe('classifyAddress', () => {
  it.each([
    ['93.184.216.34', 'public'],
    ['2606:2800:220:1::1', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['192.168.255.255', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.1.2', 'loopback'],
    ['::1', 'loopback'],
    ['169.254.169.254', 'reserved'],
    ['100.100.100.200', 'reserved'],
    ['168.63.129.16', 'reserved'],
    ['fd00:ec2::254', 'reserved'],
    ['fe80::1%eth0', 'reserved'],
    ['0.0.0.0', 'reserved'],
    ['::', 'reserved'],
    ['224.0.0.1', 'reserved'],
    ['not an address', 'reserved'],
    ['', 'reserved'],
  ])('T10 %s is %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected);
  });

  it.each([
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:a9fe:a9fe', 'reserved'],
    ['0:0:0:0:0:ffff:10.1.2.3', 'private'],
    ['::127.0.0.1', 'loopback'],
    ['64:ff9b::169.254.169.254', 'reserved'],
    ['64:ff9b::8.8.8.8', 'public'],
    ['::ffff:0:7f00:1', 'loopback'],
    ['::ffff:0:808:808', 'public'],
    ['2001::1', 'reserved'],
    ['100::1', 'reserved'],
    ['192.88.99.1', 'reserved'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:808:808::', 'public'],
  ])('T10 %s is the IPv4 address within, %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected);
  });

  it('orders classes by how local they are', () => {
    expect(isMoreLocal('loopback', 'private')).toBe(true);
    expect(isMoreLocal('private', 'private')).toBe(false);
    expect(isMoreLocal('public', 'reserved')).toBe(false);
  });
});
