import { setFlagsFromString } from 'node:v8';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { stopGrowth } from '../../../src/cli/young-generation.js';

vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn() }));

beforeEach(() => vi.mocked(setFlagsFromString).mockClear());

describe('stopGrowth', () => {
  it('has V8 keep the room for young objects as it is', () => {
    stopGrowth(['--enable-source-maps', '']);
    expect(setFlagsFromString).toHaveBeenCalledExactlyOnceWith('--semi-space-growth-factor=1');
  });

  it.each(['--max-semi-space-size=64', '--max_semi_space_size=64', '--trace-warnings --min-semi-space-size=16'])(
    'leaves it to an operator who says %s',
    (option) => {
      stopGrowth(['--enable-source-maps', option]);
      expect(setFlagsFromString).not.toHaveBeenCalled();
    },
  );
});
