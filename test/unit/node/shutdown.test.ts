/** When the end of a worker is the end of the node. */
import { describe, expect, it } from 'vitest';
import { shutdownReason } from '../../../src/node/shutdown.js';

const EXIT = 'shutdown_on_worker_exit';
const ERROR = 'shutdown_on_worker_exit_with_error';
const LAST = 'shutdown_on_last_worker_exit';
const REQUESTED = 'shutdown_on_shutdown_requested';

describe('a worker that ended', () => {
  it.each([
    [EXIT, false, 1, EXIT],
    [EXIT, true, 1, EXIT],
    [ERROR, false, 0, undefined],
    [ERROR, true, 1, ERROR],
    [LAST, true, 1, undefined],
    [LAST, false, 0, LAST],
    [REQUESTED, true, 0, undefined],
    [[], true, 0, undefined],
    [[REQUESTED, LAST], true, 1, undefined],
    [[LAST, ERROR], true, 1, ERROR],
  ])('with the words %j, failed %s, %i left: %s', (words, failed, left, word) => {
    const reason = shutdownReason(words, { worker: 'worker002', failed, left });
    expect(reason).toEqual(word === undefined ? undefined : { worker: 'worker002', failed, word });
  });
});
