/** The rows of the checklist about HTTP long-poll, and what holds them. Where we deviate: D-17 and D-66 to D-69. */
import { longPoll, longPollOrder, longPollService, row } from './rows-tests.js';
import type { HeldRow } from './rows-tests.js';

const OPENED = longPoll('the first subprotocol counts that is spoken, and queries are ignored');
const CLOSED = longPoll('/close ends the poll with 204 first, and the id is over');
const READABLE = longPoll('may ask where they are named, and read each answer');
const MEDIA_TYPES = longPollService('%s comes as %s');

export const LONG_POLL_ROWS: readonly HeldRow[] = [
  row('A-LP-01', 'opening', OPENED),
  row('A-LP-02', 'the subprotocol', OPENED, MEDIA_TYPES),
  row('A-LP-03', 'a wrong body', longPoll('a handshake of %j gets 400')),
  row('A-LP-04', 'sending', longPollService('answers a message and the end with 204')),
  row('A-LP-05', 'what is no message', longPoll('what is no message gets 400, and ABORT')),
  row(
    'A-LP-06',
    'receiving',
    longPollService('in %s, an answer brings %d of the messages that wait; a poll before them hangs'),
    longPoll('a second poll ends the first with 204'),
  ),
  row(
    'A-LP-07',
    'order, and nothing is lost',
    longPoll('a client that hangs up while it polls loses nothing'),
    longPoll('keeps the order of 500 events'),
    longPollOrder('pass in the order of their ids'),
  ),
  row('A-LP-08', 'closing', CLOSED),
  row('A-LP-09', 'a query against caches', longPollService('a query against caches is no matter, whatever is asked')),
  row('A-LP-10', 'an id that is over, or unknown', CLOSED, READABLE),
  row(
    'A-LP-11',
    'limits',
    longPoll('stays while it is idle for longer than a request, and a session, may take'),
    longPoll('a client that makes no request any more is gone after a while'),
    longPoll('queue_limit_messages and max_message_size hold'),
  ),
  row('A-LP-12', 'other origins, and the cookie', READABLE, longPollService('only /open hands one out, once')),
  row('A-LP-13', 'the media type', MEDIA_TYPES),
];
