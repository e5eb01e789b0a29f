import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemBeacons } from '../../../src/system/beacon.js';
import { withDirectory } from '../../support/cookie-store.js';

describe('a beacon', () => {
  it('goes out with its process, kill -9 or not, and leaves a file that can be removed', () =>
    withDirectory(async (directory) => {
      const name = '.alive.0123456789abcdef';
      const script = `require('node:net').createServer().listen(${JSON.stringify(path.join(directory, name))}, () => console.log())`;
      const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      expect(await systemBeacons.isLit(directory, name)).toBe(true);
      child.kill('SIGKILL');
      await once(child, 'exit');
      expect(await systemBeacons.isLit(directory, name)).toBe(false);
      systemBeacons.remove(directory, name);
      expect(await readdir(directory)).toEqual([]);
    }));
});
