/** The lists of the monitor: what each asks for, and what its columns are. */
import { h } from 'preact';
import { age, bytes, count, moment, rate } from './format.js';

const code = (text) => h('code', {}, text);
const below = (text) => h('div', { class: 'soft below' }, text);
const number = (name, of, sort, title) => ({ name, of, sort, title, isNumber: true });
/** Names are as long as clients want: what does not fit is in the title. */
const name = (text) => h('strong', { class: 'name', title: text }, text);
const time = (text) => h('time', { title: text, dateTime: text }, moment(text));

/** Who cannot see the row hears what it is about. */
const button = (text, about, onClick) =>
  h('button', { type: 'button', 'aria-label': `${text}: ${about}`, onClick }, text);

const sessionKey = ({ worker, session }) => `${worker} ${session}`;
const patternKey = ({ worker, id }) => `${worker} ${id}`;

function transportText({ channel_framing: framing, channel_type: type, channel_serializer: serializer, peer }) {
  if (framing === undefined) return peer;
  return [framing, type === 'tls' ? 'TLS' : '', serializer ?? ''].filter((part) => part !== '').join(' · ');
}

function sessionColumns({ now, may, onEnd, onLogOut }) {
  const actions = ({ cookie, ...entry }) =>
    h('span', { class: 'actions' }, [
      may.end_sessions && button('End session', `${entry.session} of ${entry.authid}`, () => onEnd(entry)),
      may.log_out && button('Log user out', entry.authid, () => onLogOut({ ...entry, cookie })),
    ]);
  return [
    {
      name: 'User',
      of: ({ authid, authrole, realm }) => [name(authid), below(`${authrole} · ${realm}`)],
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
    number(
      'In',
      ({ received, received_rate: per }) => [rate(per), below(count(received))],
      'received_rate',
      'Messages from the client: in one second, and since it joined',
    ),
    number(
      'Out',
      ({ sent, sent_rate: per }) => [rate(per), below(count(sent))],
      'sent_rate',
      'Messages to the client: in one second, and since it joined',
    ),
    number('Unsent', ({ unsent_bytes: unsent }) => bytes(unsent), 'unsent_bytes', 'What the client has not read yet'),
    number('Subs', ({ subscriptions }) => count(subscriptions), 'subscriptions', 'Subscriptions'),
    number('Regs', ({ registrations }) => count(registrations), 'registrations', 'Registrations'),
    ...(may.end_sessions || may.log_out ? [{ name: 'Actions', of: actions, isAction: true }] : []),
  ];
}

const patternColumn = (heading) => ({
  name: heading,
  of: ({ uri, match, invoke, realm }) => [
    code(uri === '' ? '(everything)' : uri),
    below([match, ...(invoke === undefined || invoke === 'single' ? [] : [invoke]), realm].join(' · ')),
  ],
  sort: 'uri',
});

const SESSION_ORDERS = [
  ['joined', 'Newest'],
  ['messages_rate', 'Messages per second'],
  ['received_rate', 'Messages in per second'],
  ['sent_rate', 'Messages out per second'],
  ['messages', 'Messages in all'],
  ['unsent_bytes', 'Unsent bytes'],
  ['subscriptions', 'Subscriptions'],
  ['registrations', 'Registrations'],
  ['authid', 'User'],
  ['authrole', 'Role'],
];

/** What has names is put in order from A on, all else from the largest down. */
export const isDescending = (sort) => !['uri', 'authid', 'authrole'].includes(sort);

/**
 * A list: `procedure` behind `crossbar.monitor.`, `orders` that it can be put in, `isCounted` where its pages go by an offset, `rates`
 * of which counts.
 */
export const LISTS = {
  sessions: {
    title: 'Sessions',
    procedure: 'sessions',
    sort: 'joined',
    orders: SESSION_ORDERS,
    search: 'Search user, role, address, session, cookie',
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
    orders: SESSION_ORDERS,
    search: 'Search user, role, address, session, cookie',
    keyOf: sessionKey,
    rates: ['received', 'sent'],
    columns: sessionColumns,
    none: 'Everybody has read what was sent to them.',
  },
  topics: {
    title: 'Topics',
    procedure: 'topics',
    sort: 'publications_rate',
    orders: [
      ['publications_rate', 'Publications per second'],
      ['publications', 'Publications in all'],
      ['subscribers', 'Subscribers'],
      ['created', 'Newest'],
      ['uri', 'Topic'],
    ],
    search: 'Search topics',
    keyOf: patternKey,
    rates: ['publications'],
    columns: ({ now }) => [
      patternColumn('Topic'),
      number('Subscribers', ({ subscribers }) => count(subscribers), 'subscribers'),
      number(
        'Publications',
        ({ publications, publications_rate: per }) => [rate(per), below(count(publications))],
        'publications_rate',
        'In one second, and in all',
      ),
      number('Age', ({ created }) => age(created, now), 'created'),
    ],
    none: 'Nobody is subscribed to anything.',
  },
  procedures: {
    title: 'Procedures',
    procedure: 'procedures',
    sort: 'calls_rate',
    orders: [
      ['calls_rate', 'Calls per second'],
      ['calls', 'Calls in all'],
      ['calls_in_flight', 'Calls in flight'],
      ['callees', 'Callees'],
      ['created', 'Newest'],
      ['uri', 'Procedure'],
    ],
    search: 'Search procedures',
    keyOf: patternKey,
    rates: ['calls'],
    columns: ({ now }) => [
      patternColumn('Procedure'),
      number('Callees', ({ callees }) => count(callees), 'callees'),
      number(
        'Calls',
        ({ calls, calls_rate: per }) => [rate(per), below(count(calls))],
        'calls_rate',
        'In one second, and in all',
      ),
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
      {
        name: 'User',
        title: 'As the client said',
        of: ({ authid, realm }) => [authid === null ? '(none named)' : name(authid), below(realm ?? 'no realm named')],
      },
      { name: 'When', of: ({ at }) => time(at) },
      { name: 'Address', of: ({ peer }) => code(peer) },
      { name: 'Methods', title: 'As the client said', of: ({ authmethods }) => authmethods.join(', ') || '–' },
      { name: 'Reason', of: ({ reason }) => code(reason), isWide: true },
    ],
    none: 'No login was refused since the node started.',
  },
  cookies: {
    title: 'Cookies',
    procedure: 'cookies',
    isCounted: true,
    keyOf: ({ digest }) => digest,
    columns: ({ may, onLogOut }) => [
      {
        name: 'Login',
        of: ({ authid, authrole, authrealm, authmethod }) =>
          authid === null
            ? h('span', { class: 'soft' }, 'no login')
            : [name(authid), below([authrole, authrealm, authmethod].join(' · '))],
      },
      { name: 'Cookie', of: ({ digest }) => code(digest), isWide: true },
      { name: 'Created', of: ({ created }) => time(created) },
      { name: 'Expires', of: ({ expires }) => time(expires) },
      number('Sessions', ({ sessions }) => count(sessions.length)),
      ...(may.log_out
        ? [
            {
              name: 'Actions',
              isAction: true,
              of: ({ digest }) =>
                h(
                  'span',
                  { class: 'actions' },
                  button('Log browser out', digest, () => onLogOut({ cookie: digest })),
                ),
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
      { name: 'Transport', of: ({ transport, worker }) => [name(transport), below(worker)] },
      {
        name: 'For',
        of: ({ names, subject, file }) => [names ?? subject ?? '–', below(code(file))],
        isWide: true,
      },
      { name: 'Issuer', of: ({ issuer }) => issuer ?? '–', isWide: true },
      { name: 'Valid until', of: ({ valid_to: end }) => (end === null ? '–' : time(end)) },
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
  return h(
    'span',
    { class: days < 21 ? 'bad' : '' },
    days < 0 ? 'over' : `${count(days)} ${days === 1 ? 'day' : 'days'}`,
  );
}
