/** The rows of the checklist about authentication, and what holds them. */
import {
  authClients,
  authContract,
  authentication,
  cryptosign,
  dynamic,
  dynamicOverTheWire,
  row,
  scram,
  session,
  ticket,
  tlsCertificate,
  wampcra,
} from './rows-tests.js';
import type { HeldRow } from './rows-tests.js';

const LETS_IN = authentication('lets in who knows the secret, and says as whom');
const REFUSES = authentication('refuses a wrong secret and an unknown user in the same words, and closes');
const ONCE = authContract('takes no answer that belongs to another challenge');
const LATE = authentication('takes no answer that comes too late');

const general: readonly HeldRow[] = [
  row('A-AUT-01', 'the flow', LETS_IN, REFUSES),
  row('A-AUT-02', 'in the order of the client', authentication('are taken in its order, and unknown ones passed over')),
  row('A-AUT-03', 'no methods', session('takes the first method that it has, and none or an empty list for anonymous')),
  row(
    'A-AUT-04',
    'none that fits',
    authentication('are refused by the names of Crossbar.io when none is there'),
    authentication('are refused by the names of the specification where the config says so'),
  ),
  row('A-AUT-05', 'wrong', REFUSES, authContract('calls it as the specification does where that is asked for')),
  row('A-AUT-06', 'unknown', REFUSES),
  row(
    'A-AUT-07',
    'no such role',
    authentication('says only to those who know the secret that realm or role are not there'),
  ),
  row(
    'A-AUT-08',
    'broken',
    dynamic('lets nobody in when the answer is %j, and says so'),
    dynamicOverTheWire('lets nobody in when it is slow'),
  ),
  row(
    'A-AUT-09',
    'anonymous is not enough',
    authentication('are refused by the names of the specification where the config says so'),
  ),
  row('A-AUT-10', 'only the answer', authentication('takes nothing else than the answer')),
  row('A-AUT-11', 'too late', LATE),
  row('A-AUT-12', 'once', ONCE, authentication('takes no answer that was heard on another connection')),
  row('A-AUT-13', 'unknown methods', authentication('are taken in its order, and unknown ones passed over')),
  row('A-AUT-14', 'what WELCOME says', LETS_IN),
  row('A-AUT-16', 'nothing is told', authContract('challenges an unknown authid like a known one'), REFUSES),
  row('A-ANO-01', 'anonymous', session('welcomes an anonymous client and tells it who it is')),
  row('A-DYN-01', 'asking a program', dynamic('is called on its realm, with what is known of the client')),
  row('A-TLA-04', 'certificates', tlsCertificate('lets in whose it is')),
];

const ticketRows: readonly HeldRow[] = [
  row('A-TKT-01', 'the question', ticket('is asked for in an empty CHALLENGE')),
  row('A-TKT-02', 'the answer', LETS_IN, authClients('sends a ticket')),
  row('A-TKT-03', 'nobody', ticket('is not asked for without an authid')),
];

const CRA_CHALLENGE = wampcra('is a JSON text that names who, when and which session, in the order of Crossbar.io');

const craRows: readonly HeldRow[] = [
  row('A-CRA-01', 'the question', CRA_CHALLENGE),
  row('A-CRA-02', 'its keys', CRA_CHALLENGE),
  row('A-CRA-03', 'never the same', wampcra('is never the same twice')),
  row('A-CRA-04', 'the answer', wampcra('of a known challenge: $name, $secret'), authClients('signs by WAMP-CRA')),
  row('A-CRA-05', 'salted', wampcra('says how the key is derived'), authClients('derives a key and signs by WAMP-CRA')),
  row('A-CRA-06', 'wrong', REFUSES),
  row('A-CRA-07', 'nobody', wampcra('is refused to somebody without a name')),
  row('A-CRA-08', 'too late', LATE),
];

const scramRows: readonly HeldRow[] = [
  row('A-SCR-01', 'both names', LETS_IN),
  row('A-SCR-02', 'the nonce of the client', scram('is not given to a client with %s')),
  row('A-SCR-03', 'the question', scram('says how the client hashes, and continues its nonce')),
  row('A-SCR-04', 'how to hash', scram('says how the client hashes, and continues its nonce')),
  row('A-SCR-05', 'the hashes', scram('have the known answers: $name')),
  row('A-SCR-06', 'the answer', scram('have the known answers: $name')),
  row('A-SCR-07', 'what it repeats', scram('is refused with %s')),
  row(
    'A-SCR-08',
    'the router proves itself',
    scram('is answered with what proves the router'),
    authClients('authenticates by $method as $authid, or is refused'),
  ),
  row('A-SCR-09', 'no such binding', scram('cannot be bound by %j without TLS')),
  row('A-SCR-10', 'a salt for nobody', scram('has a salt for unknown names that is always the same')),
  row(
    'A-SCR-11',
    'names',
    scram('makes %j %j'),
    scram('has commas and equals signs of the name escaped'),
    scram('is for the prepared name'),
  ),
  row('A-SCR-13', 'binding', scram('can be bound to the TLS connection')),
];

const cryptosignRows: readonly HeldRow[] = [
  row('A-CSG-01', 'the key', cryptosign('tells who it is by the key alone')),
  row('A-CSG-02', 'the question', cryptosign('is 32 octets, never the same')),
  row('A-CSG-03', 'the answer', cryptosign('of $public_key, bound to $channel_id'), LETS_IN),
  row('A-CSG-04', 'once', ONCE),
  row('A-CSG-05', 'whose key', cryptosign('is for one of those who have the key')),
  row('A-CSG-06', 'binding', cryptosign('signs the challenge mixed with what only the two ends know')),
  row('A-CSG-07', 'no such binding', cryptosign('is refused by %j, which the connection does not have')),
  row('A-CSG-10', 'nonsense', cryptosign('is not given for the key %j'), cryptosign('is refused as %j')),
  row('A-CSG-11', 'the published signatures', cryptosign('of $public_key, bound to $channel_id')),
];

export const AUTH_ROWS: readonly HeldRow[] = [
  ...[...general, ...ticketRows, ...craRows, ...scramRows, ...cryptosignRows],
];
