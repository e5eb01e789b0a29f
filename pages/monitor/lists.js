/** The lists of the monitor: what each asks for, and what its columns are. */
import { h } from 'preact';
import { age, bytes, count, moment, rate } from './format.js';

const code = (text) => h('code', {}, text);
const below = (text) => h('div', { class: 'soft below' }, text);
const number = (name, of, sort) => ({ name, of, sort, isNumber: true });

const sessionKey = ({ worker, session }) => `${worker} ${session}`;
const patternKey = ({ worker, id }) => `${worker} ${id}`;

function transportText({ channel_framing: framing, channel_type: type, channel_serializer: serializer, peer }) {
  if (framing === undefined) return peer;
  return [framing, type === 'tls' ? 'TLS' : '', serializer ?? ''].filter((part) => part !== '').join(' · ');
}

function sessionColumns({ now, may, onEnd, onLogOut }) {
  const actions = ({ cookie, ...entry }) =>
    h('span', { class: 'actions' }, [
      may.end_sessions && h('button', { type: 'button', onClick: () => onEnd(entry) }, 'End session'),
      may.log_out &&
        h('button', { type: 'button', onClick: () => onLogOut({ ...entry, cookie }) }, 'Log out everywhere'),
    ]);
  return [
    {
      name: 'User',
      of: ({ authid, authrole, realm }) => [h('strong', {}, authid), below(`${authrole} · ${realm}`)],
      sort: 'authid',
    },
    { name: 'Session', of: ({ session, authmethod }) => [code(session), below(authmethod)] },
    {
      name: 'Address',
      of: ({ transport }) => [
        transport.channel_framing === undefined ? '–' : code(transport.peer),
        below(transportText(transport)),
      ],
    },
    { name: 'Cookie', of: ({ cookie }) => (cookie === null ? '–' : code(cookie)) },
    number('Age', ({ joined }) => age(joined, now), 'joined'),
    number('In', ({ received, received_rate: per }) => [rate(per), below(count(received))], 'received'),
    number('Out', ({ sent, sent_rate: per }) => [rate(per), below(count(sent))], 'sent'),
    number('Unsent', ({ unsent_bytes: unsent }) => bytes(unsent), 'unsent_bytes'),
    number('Subs', ({ subscriptions }) => count(subscriptions), 'subscriptions'),
    number('Regs', ({ registrations }) => count(registrations), 'registrations'),
    ...(may.end_sessions || may.log_out ? [{ name: 'Actions', of: actions, isAction: true }] : []),
  ];
}

const patternColumns = (name) => [
  { name, of: ({ uri }) => code(uri === '' ? '(everything)' : uri), sort: 'uri' },
  { name: 'Match', of: ({ match }) => match },
  { name: 'Realm', of: ({ realm }) => realm },
];

/** A list: `procedure` behind `crossbar.monitor.`, `paged` by keys or by an offset, `rates` of which counts. */
export const LISTS = {
  sessions: {
    title: 'Sessions',
    procedure: 'sessions',
    sort: 'joined',
    isSearched: true,
    keyOf: sessionKey,
    rates: ['received', 'sent'],
    columns: sessionColumns,
    none: 'There is no such session.',
  },
  slow: {
    title: 'Slow consumers',
    procedure: 'sessions',
    request: { slow: true },
    sort: 'unsent_bytes',
    isSearched: true,
    keyOf: sessionKey,
    rates: ['received', 'sent'],
    columns: sessionColumns,
    none: 'Everybody has read what was sent to them.',
  },
  topics: {
    title: 'Topics',
    procedure: 'topics',
    sort: 'publications',
    isSearched: true,
    keyOf: patternKey,
    rates: ['publications'],
    columns: ({ now }) => [
      ...patternColumns('Topic'),
      number('Subscribers', ({ subscribers }) => count(subscribers), 'subscribers'),
      number('Rate', ({ publications_rate: per }) => rate(per)),
      number('Publications', ({ publications }) => count(publications), 'publications'),
      number('Age', ({ created }) => age(created, now), 'created'),
    ],
    none: 'Nobody is subscribed to anything.',
  },
  procedures: {
    title: 'Procedures',
    procedure: 'procedures',
    sort: 'calls',
    isSearched: true,
    keyOf: patternKey,
    rates: ['calls'],
    columns: ({ now }) => [
      ...patternColumns('Procedure'),
      { name: 'Invoke', of: ({ invoke }) => invoke },
      number('Callees', ({ callees }) => count(callees), 'callees'),
      number('Rate', ({ calls_rate: per }) => rate(per)),
      number('Calls', ({ calls }) => count(calls), 'calls'),
      number('In flight', ({ calls_in_flight: inFlight }) => count(inFlight), 'calls_in_flight'),
      number('Age', ({ created }) => age(created, now), 'created'),
    ],
    none: 'Nothing is registered.',
  },
  refusals: {
    title: 'Refused logins',
    procedure: 'refusals',
    keyOf: ({ worker, at, peer, authid }) => `${worker} ${at} ${peer} ${authid}`,
    columns: () => [
      { name: 'When', of: ({ at }) => moment(at) },
      { name: 'User as told', of: ({ authid }) => (authid === null ? '–' : h('strong', {}, authid)) },
      { name: 'Realm', of: ({ realm }) => realm ?? '–' },
      { name: 'Methods', of: ({ authmethods }) => authmethods.join(', ') || '–' },
      { name: 'Address', of: ({ peer }) => code(peer) },
      { name: 'Reason', of: ({ reason }) => code(reason) },
    ],
    none: 'No login was refused since the node started.',
  },
  cookies: {
    title: 'Cookies',
    procedure: 'cookies',
    isCounted: true,
    keyOf: ({ digest }) => digest,
    columns: ({ may, onLogOut }) => [
      { name: 'Cookie', of: ({ digest }) => code(digest) },
      { name: 'User', of: ({ authid }) => (authid === null ? '–' : h('strong', {}, authid)) },
      { name: 'Role', of: ({ authrole }) => authrole ?? '–' },
      { name: 'Realm', of: ({ authrealm }) => authrealm ?? '–' },
      { name: 'Login', of: ({ authmethod }) => authmethod ?? '–' },
      { name: 'Created', of: ({ created }) => moment(created) },
      { name: 'Expires', of: ({ expires }) => moment(expires) },
      number('Sessions', ({ sessions }) => count(sessions.length)),
      ...(may.log_out
        ? [
            {
              name: 'Actions',
              isAction: true,
              of: ({ digest }) =>
                h('button', { type: 'button', onClick: () => onLogOut({ cookie: digest }) }, 'Log out'),
            },
          ]
        : []),
    ],
    none: 'The node remembers no browser.',
  },
  certificates: {
    title: 'Certificates',
    procedure: 'certificates',
    keyOf: ({ worker, transport }) => `${worker} ${transport}`,
    columns: ({ now }) => [
      { name: 'Transport', of: ({ transport }) => transport },
      { name: 'For', of: ({ names, subject }) => names ?? subject ?? '–' },
      { name: 'Issuer', of: ({ issuer }) => issuer ?? '–' },
      { name: 'Valid until', of: ({ valid_to: end }) => moment(end) },
      number('Left', ({ valid_to: end, problem }) =>
        problem !== null ? h('span', { class: 'bad' }, problem) : leftText(end, now),
      ),
    ],
    none: 'No transport of this node has TLS.',
  },
};

/** Three weeks before its end a certificate should have been renewed. */
function leftText(end, now) {
  const days = Math.floor((Date.parse(end) - Date.parse(now)) / 86_400_000);
  return h('span', { class: days < 21 ? 'bad' : '' }, days < 0 ? 'over' : `${count(days)} days`);
}
