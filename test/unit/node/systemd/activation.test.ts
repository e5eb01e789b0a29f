import { describe, expect, it } from 'vitest';

import { takeInherited } from '../../../../src/node/systemd/activation.js';
import { InheritedSockets } from '../../../../src/transport/listen/inherited.js';

const PID = 42;

describe('what systemd says of its sockets', () => {
  it('is nothing without its variables', () => {
    expect(takeInherited({ PATH: '/bin' }, PID)).toEqual({ sockets: [] });
  });

  it('is taken out of the environment, whatever it says', () => {
    const env = { PATH: '/bin', LISTEN_FDS: '1', LISTEN_PID: '7', LISTEN_FDNAMES: 'web' };
    takeInherited(env, PID);
    expect(env).toEqual({ PATH: '/bin' });
  });

  it('names them in the order of their descriptors', () => {
    const env = { LISTEN_FDS: '2', LISTEN_PID: '42', LISTEN_FDNAMES: 'web:raw' };
    expect(takeInherited(env, PID)).toEqual({
      sockets: [
        { name: 'web', fd: 3 },
        { name: 'raw', fd: 4 },
      ],
    });
  });

  it('has no names with an old systemd', () => {
    expect(takeInherited({ LISTEN_FDS: '1', LISTEN_PID: '42' }, PID)).toEqual({
      sockets: [{ name: 'unknown', fd: 3 }],
    });
  });

  it('is for another process where something stands in between', () => {
    const taken = takeInherited({ LISTEN_FDS: '1', LISTEN_PID: '41', LISTEN_FDNAMES: 'web' }, PID);
    expect(taken).toMatchObject({ fault: expect.stringContaining('to process 41, and this is 42') as string });
  });

  it.each([
    { LISTEN_FDS: '2', LISTEN_FDNAMES: 'web' },
    { LISTEN_FDS: '-1' },
    { LISTEN_FDS: '1e3' },
    { LISTEN_FDS: '9999' },
    { LISTEN_FDS: '' },
  ])('is refused where it cannot be: %j', (env) => {
    expect(takeInherited({ LISTEN_PID: '42', ...env }, PID)).toHaveProperty('fault');
  });
});

describe('the sockets of the process', () => {
  const sockets = [
    { name: 'web', fd: 3 },
    { name: 'raw', fd: 4 },
    { name: 'twice', fd: 5 },
    { name: 'twice', fd: 6 },
  ];
  const inherited = (): InheritedSockets => {
    const made = new InheritedSockets();
    made.accept({ sockets });
    return made;
  };

  it('are given away once each, by name', () => {
    const made = inherited();
    expect([made.take('raw'), made.take('web')]).toEqual([4, 3]);
    expect(() => made.take('web')).toThrow('another transport listens on it');
    expect(made.idle).toEqual(['twice', 'twice']);
  });

  it('are not guessed', () => {
    expect(() => inherited().take('wep')).toThrow('there are only "web", "raw", "twice", "twice"');
    expect(() => inherited().take('twice')).toThrow('several sockets have this name');
    expect(() => new InheritedSockets().take('web')).toThrow('systemd has passed no sockets');
  });

  it('are nobody’s where they were meant for somebody else', () => {
    const made = new InheritedSockets();
    made.accept({ fault: 'they are for another process' });
    expect(() => made.take('web')).toThrow('they are for another process');
    expect(made.idle).toEqual([]);
  });
});
