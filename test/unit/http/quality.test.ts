import { describe, expect, it } from 'vitest';
import { qualityOf } from '../../../src/http/quality.js';

describe('the weight of a value', () => {
  it.each([
    ['gzip', 'gzip', 1],
    ['br, GZip', 'gzip', 1],
    ['gzip;q=0.5', 'gzip', 0.5],
    ['gzip ; Q=0.25 , br', 'gzip', 0.25],
    ['gzip;q=0', 'gzip', 0],
    ['text/html;level=1;q=0.4', 'text/html', 0.4],
    ['gzip;q=0.8, gzip;q=0.1', 'gzip', 0.8],
    ['*;q=0.1', '*', 0.1],
    ['*', 'gzip', undefined],
    ['xgzip', 'gzip', undefined],
    ['', 'gzip', undefined],
    [undefined, 'gzip', undefined],
    ['gzip;q=x', 'gzip', 0],
    ['gzip;q=2', 'gzip', 0],
    ['gzip;q=-1', 'gzip', 0],
    [',,;;,=', 'gzip', undefined],
  ])('in %j of %s is %j', (header, value, weight) => {
    expect(qualityOf(header, value)).toBe(weight);
  });
});
