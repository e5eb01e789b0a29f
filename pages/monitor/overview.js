/** The node at a glance: a few numbers, charts of rates, its realms, transports and config. */
import { h } from 'preact';
import { Chart } from './chart.js';
import { age, bytes, count, moment, perSecond, rate } from './format.js';
import { Table } from './table.js';

const SESSIONS = [{ label: 'Sessions', color: '--first' }];
const MESSAGES = [
  { label: 'In', color: '--first' },
  { label: 'Out', color: '--second' },
];
const UNSENT = [{ label: 'Unsent', color: '--third' }];

/** What a node is in its cluster. */
const STATES = { member: 'a member', joining: 'which joins again', fenced: 'which has lost the others' };

/** All realms in one. */
export function totalsOf({ realms }) {
  const names = [
    'sessions',
    'subscriptions',
    'registrations',
    'calls_in_flight',
    'received',
    'sent',
    'unsent_bytes',
    'slow',
  ];
  return Object.fromEntries(names.map((name) => [name, realms.reduce((sum, realm) => sum + realm[name], 0)]));
}

export function Overview({ summary, realms, history, onShow }) {
  const { node, now, refused } = summary;
  const total = totalsOf(summary);
  const last = history.at(-1) ?? {};
  const times = history.map(({ at }) => at);
  const column = (name) => history.map((look) => look[name] ?? null);
  return h('section', { class: 'overview' }, [
    h('div', { class: 'tiles' }, [
      tile('Sessions', count(total.sessions), () => onShow('sessions')),
      tile('Messages in', rate(last.received), undefined),
      tile('Messages out', rate(last.sent), undefined),
      tile('Slow consumers', count(total.slow), () => onShow('slow'), total.slow > 0),
      tile('Unsent', bytes(total.unsent_bytes), () => onShow('slow')),
      tile('Calls in flight', count(total.calls_in_flight), () => onShow('procedures')),
      tile('Refused logins', count(refused), () => onShow('refusals')),
      tile('Memory', bytes(node.memory_bytes), undefined),
      tile('Processor', last.cpu === undefined ? '–' : `${Math.round(last.cpu * 100)} %`, undefined),
    ]),
    h('div', { class: 'charts' }, [
      h(Chart, {
        title: 'Messages per second',
        series: MESSAGES,
        data: [times, column('received'), column('sent')],
        format: perSecond,
        least: 4,
      }),
      h(Chart, { title: 'Sessions', series: SESSIONS, data: [times, column('sessions')], format: count, least: 4 }),
      h(Chart, {
        title: 'Unsent bytes',
        series: UNSENT,
        data: [times, column('unsent')],
        format: bytes,
        least: 4096,
        isBytes: true,
      }),
    ]),
    h('h2', {}, 'Realms'),
    h(Table, {
      keyOf: ({ worker, realm }) => `${worker} ${realm}`,
      entries: realms,
      none: 'This node has no realms.',
      columns: [
        { name: 'Realm', of: ({ realm }) => h('strong', {}, realm) },
        { name: 'Worker', of: ({ worker }) => worker },
        number('Sessions', ({ sessions }) => count(sessions)),
        number('Slow', ({ slow }) => count(slow)),
        number('In', ({ received_rate: per }) => rate(per)),
        number('Out', ({ sent_rate: per }) => rate(per)),
        number('Subscriptions', ({ subscriptions }) => count(subscriptions)),
        number('Registrations', ({ registrations }) => count(registrations)),
        number('Calls in flight', ({ calls_in_flight: calls }) => count(calls)),
        number('Unsent', ({ unsent_bytes: unsent }) => bytes(unsent)),
      ],
    }),
    h('h2', {}, 'Transports'),
    h(Table, {
      keyOf: ({ worker, transport }) => `${worker} ${transport}`,
      entries: node.transports,
      none: 'Nothing listens.',
      columns: [
        { name: 'Transport', of: ({ transport }) => h('strong', {}, transport) },
        { name: 'Type', of: ({ type }) => type },
        { name: 'URL', of: ({ url }) => h('code', {}, url), isWide: true },
        { name: 'Paths', of: ({ paths }) => pathsList(paths), isWide: true },
      ],
    }),
    node.cluster && h(Cluster, node.cluster),
    h('h2', {}, 'Node'),
    h('dl', {}, [
      fact('Version', `crossbar-ts ${node.version}`),
      fact('Process', `${node.pid}, ${node.title}`),
      fact('Running for', age(node.started, now)),
      fact('Config', h('code', {}, node.config.file ?? 'an object')),
      fact('Config read', moment(node.config.loaded)),
      fact(
        'Pending changes',
        node.config.pending.length === 0
          ? 'none'
          : h(
              'ul',
              { class: 'bad' },
              node.config.pending.map((pointer) => h('li', {}, h('code', {}, pointer))),
            ),
      ),
    ]),
  ]);
}

/** The node as one of a cluster. */
function Cluster({ name, node, state, nodes, engine, lost, undelivered, fenced }) {
  return [
    h('h2', {}, 'Cluster'),
    h('dl', {}, [
      fact('Name', name),
      fact('This node', h('span', { class: state === 'member' ? '' : 'bad' }, `${node}, ${STATES[state] ?? state}`)),
      fact('Other nodes', nodes.join(', ') || 'none'),
      fact('Over', h('code', {}, engine)),
      fact('Messages of others lost', times(lost)),
      fact('Messages undelivered', count(undelivered)),
      fact('Lost the cluster', times(fenced)),
    ]),
  ];
}

function times(number) {
  return number === 1 ? 'once' : number === 0 ? 'never' : `${count(number)} times`;
}

function number(name, of) {
  return { name, of, isNumber: true };
}

function tile(name, value, onClick, isBad) {
  const content = [h('span', { class: 'soft' }, name), h('b', { class: isBad ? 'bad' : '' }, value)];
  if (onClick === undefined) return h('div', { class: 'tile' }, content);
  return h('button', { class: 'tile', type: 'button', onClick }, content);
}

function fact(name, value) {
  return [h('dt', {}, name), h('dd', {}, value)];
}

function pathsList(paths) {
  if (paths.length === 0) return '–';
  return h(
    'ul',
    { class: 'paths' },
    paths.map(({ path, type }) => h('li', {}, [h('code', {}, path), ' ', h('span', { class: 'soft below' }, type)])),
  );
}
