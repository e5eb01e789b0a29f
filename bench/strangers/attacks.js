/** All attacks: a name, what is done, and one round of it. A round is repeated until the time is over. */
import * as http from './http-attacks.js';
import * as logins from './login-attacks.js';
import * as sessions from './session-attacks.js';
import * as subscriptions from './subscription-attacks.js';

/**
 * @typedef {import('./wire.js').Attacker} Attacker
 * @typedef {object} Attack
 * @property {string} name
 * @property {string} what
 * @property {(attacker: Attacker) => Promise<void>} round
 * @property {number} [held] rounds whose connections stay open, while others begin; without it all of them do
 */

/** @type {readonly Attack[]} */
export const ATTACKS = [
  { name: 'upgrades', what: 'requests and upgrades to anything in one packet', round: http.upgrades, held: 1 },
  { name: 'pipelines', what: '1000 requests at once, and gone', round: http.pipelinesThatGo, held: 1 },
  { name: 'unread', what: '1800 requests at once, and no answer is read', round: http.pipelinesThatStay, held: 20 },
  { name: 'together', what: '500 connections that ask at the same moment', round: http.together, held: 1 },
  { name: 'hello', what: 'HELLO of 60 KiB and of 1 MiB, full of maps', round: logins.largeHellos, held: 50 },
  { name: 'authid', what: 'an authid of marks in the wrong order', round: logins.largeAuthids, held: 50 },
  { name: 'wildcards', what: '8192 wildcard patterns, and what fits all', round: subscriptions.wildcards, held: 2 },
  { name: 'history', what: 'a history of 54 MB, asked for again and again', round: subscriptions.history, held: 2 },
  { name: 'calls', what: 'calls of 1 MB that are never answered', round: sessions.waitingCalls, held: 4 },
  { name: 'authorizer', what: '0.5 MB messages while an authorizer thinks', round: sessions.behindAuthorizer, held: 4 },
  { name: 'behind', what: 'messages behind HELLO while an authenticator thinks', round: logins.behindHello, held: 8 },
  { name: 'components', what: 'wildcard patterns of many components', round: subscriptions.deepPatterns, held: 4 },
  { name: 'meta', what: 'CALLs of 1 MiB and 60 KiB to the router itself', round: sessions.largeMetaCalls, held: 4 },
  { name: 'testaments', what: 'as many and as large testaments as there may be', round: sessions.testaments, held: 40 },
  { name: 'endless', what: '60,000 subscriptions of one session', round: subscriptions.endless, held: 2 },
  { name: 'guesses', what: '200 guesses of a ticket at the same time', round: logins.guesses, held: 1 },
  { name: 'vanished', what: 'RawSockets that never read again', round: sessions.vanished, held: 50 },
  { name: 'log', what: 'whatever leaves a line in the log, in a loop', round: sessions.noise, held: 2 },
  { name: 'waiting', what: '100 connections a second that only say HELLO', round: logins.waiting },
  { name: 'cookies', what: 'requests without a cookie, as many as there can be', round: http.cookies, held: 4 },
  { name: 'readers', what: '15 MB published to 40 who do not read', round: subscriptions.unread, held: 1 },
  { name: 'translation', what: '1 MB of small values to another serializer', round: sessions.translation, held: 2 },
  { name: 'retained', what: '10,000 retained events, asked for by wildcard', round: subscriptions.retained, held: 2 },
];
