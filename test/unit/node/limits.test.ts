import { describe, expect, it } from 'vitest';
import { connectionsWithin, descriptorsIn, unsentWithin } from '../../../src/node/limits.js';

const MIB = 1024 * 1024;

describe('the limits of the process', () => {
  it.each([
    [80, 27],
    [1024, 912],
    [65_536, 64_464],
    [1_048_576, 1_047_504],
    [20, 1],
    [Infinity, Infinity],
  ])('of %d open files some are kept for files: %d connections', (descriptors, connections) => {
    expect(connectionsWithin(descriptors)).toBe(connections);
  });

  it('of the heap a quarter may wait to be sent, and no more than 256 MiB', () => {
    expect(unsentWithin(512 * MIB)).toBe(128 * MIB);
    expect(unsentWithin(4096 * MIB)).toBe(256 * MIB);
  });

  it('the system tells how many files may be open', () => {
    const limits = (soft: string): string =>
      `Limit                     Soft Limit           Hard Limit           Units\nMax processes             63000                63000                processes\nMax open files            ${soft}                 1048576              files\n`;
    expect(descriptorsIn(limits('80'))).toBe(80);
    expect(descriptorsIn(limits('unlimited'))).toBe(Infinity);
  });
});
