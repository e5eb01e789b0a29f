/** What somebody who is logged in sees: looks at the node every two seconds while the page is in the foreground, and shows it. */
import { h } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ratesOf } from './format.js';
import { isDescending, LISTS } from './lists.js';
import { Overview, totalsOf } from './overview.js';
import { Pager, Table } from './table.js';

export const LOOK_MS = 2000;
/** The second look comes earlier: from then on there are rates. */
const SECOND_LOOK_MS = 500;
/** Nobody types faster than that, and stops to see what there is. */
const TYPING_MS = 250;
/** Ten minutes. */
const MAX_HISTORY = 300;
const PAGE = 100;
const LOST = 'The connection to the node is lost. This is what was seen last; the page goes on trying.';

/** `isLost`: the session is over, and another one is on its way. */
export function Monitor({ session, isLost, onLeave }) {
  const [shown, setShown] = useState(shownByAddress);
  const [done, setDone] = useState();
  const [summary, setSummary] = useState();
  const [history, setHistory] = useState([]);
  const [problem, setProblem] = useState();
  const [asked, setAsked] = useState();
  const [looks, setLooks] = useState(0);
  const before = useRef();

  const look = useCallback(async () => {
    try {
      const seen = await session.call('crossbar.monitor.summary');
      const { previous, entry } = glanceOf(seen, before.current);
      before.current = seen;
      setSummary({ ...seen, realmRates: previous });
      setHistory((all) => [...all.slice(1 - MAX_HISTORY), entry]);
      setProblem(undefined);
      setLooks((count) => count + 1);
      document.title = `${seen.node.title} – Monitor`;
    } catch (failure) {
      setProblem(failure.message);
    }
  }, [session]);

  useEffect(() => (isLost ? undefined : whileSeen(look)), [look, isLost]);
  const trouble = isLost ? LOST : problem;

  // So the browser goes back and forth through what was looked at.
  useEffect(() => {
    const follow = () => {
      setDone(undefined);
      setShown(shownByAddress());
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const show = (name) => (location.hash = name);
  const act = async (procedure, kwargs) => {
    setAsked(undefined);
    setDone(undefined);
    try {
      const { sessions, cookies } = await session.call(procedure, kwargs);
      const forgotten = cookies > 0 ? ` Forgotten: ${plural(cookies, 'cookie')}.` : '';
      setDone(`Ended: ${plural(sessions, 'session')}.${forgotten}`);
      await look();
    } catch (failure) {
      setProblem(failure.message);
    }
  };

  if (summary === undefined) return h('main', {}, h('p', { class: 'none', role: 'status' }, trouble ?? 'Looking …'));
  const { may } = summary;
  const actions = {
    may,
    now: summary.now,
    onEnd: (entry) =>
      setAsked({
        text: `End session ${entry.session} of ${entry.authid}? The client may connect again.`,
        yes: 'End session',
        act: () => act('crossbar.monitor.session.end', { session: entry.session, worker: entry.worker }),
      }),
    onLogOut: (entry) => setAsked(logOutQuestion(entry, act)),
  };
  return [
    h('header', {}, [
      h('h1', {}, [h('img', { src: 'icon.svg', alt: '' }), summary.node.title]),
      h('nav', { 'aria-label': 'Views' }, [
        tab('overview', 'Overview', shown, show),
        ...Object.entries(LISTS).map(([name, { title }]) => tab(name, title, shown, show)),
      ]),
      h('div', { class: 'who' }, [
        h('span', { class: 'soft' }, session.details.authid),
        h('button', { type: 'button', onClick: onLeave }, 'Log out'),
      ]),
    ]),
    trouble !== undefined && h('p', { class: 'problem', role: 'alert' }, trouble),
    h('p', { class: done === undefined ? '' : 'done', role: 'status' }, done),
    h('main', {}, [
      shown === 'overview'
        ? h(Overview, { summary, realms: summary.realmRates, history, onShow: show })
        : h(List, { key: shown, name: shown, session, actions, looks, onProblem: setProblem }),
    ]),
    asked !== undefined && h(Question, { ...asked, onNo: () => setAsked(undefined) }),
  ];
}

function shownByAddress() {
  const name = location.hash.slice(1);
  return Object.hasOwn(LISTS, name) ? name : 'overview';
}

const plural = (count, what) => `${count} ${what}${count === 1 ? '' : 's'}`;

function tab(name, title, shown, show) {
  const isShown = name === shown;
  return h(
    'button',
    {
      type: 'button',
      // On a phone there are more than fit.
      ref: (button) => isShown && button?.scrollIntoView({ block: 'nearest', inline: 'center' }),
      class: isShown ? 'chosen' : '',
      'aria-current': isShown ? 'page' : undefined,
      onClick: () => show(name),
    },
    title,
  );
}

/** A list, looked at anew with each look at the node. */
function List({ name, session, actions, looks, onProblem }) {
  const list = LISTS[name];
  const [order, setOrder] = useState(list.sort && { sort: list.sort, descending: isDescending(list.sort) });
  const [search, setSearch] = useState('');
  const typing = useRef();
  const [trail, setTrail] = useState([]);
  const [seen, setSeen] = useState();
  const before = useRef();
  const turn = useRef(0);

  useEffect(() => {
    const mine = ++turn.current;
    const request = {
      ...list.request,
      ...order,
      ...(search !== '' && { search }),
      ...(trail.length > 0 && (list.isCounted ? { offset: trail.length * PAGE } : { after: trail.at(-1) })),
    };
    session.call(`crossbar.monitor.${list.procedure}`, request).then(
      (page) => {
        if (mine !== turn.current) return;
        const at = performance.now();
        const seconds = before.current === undefined ? 0 : (at - before.current.at) / 1000;
        const entries = ratesOf(page.entries, before.current?.entries, seconds, list.keyOf, list.rates ?? []);
        before.current = { at, entries: page.entries };
        setSeen({ ...page, entries });
      },
      (failure) => mine === turn.current && onProblem(failure.message),
    );
  }, [looks, order, search, trail]);

  const restart = (change) => (value) => {
    setTrail([]);
    change(value);
  };
  const sortBy = (sort) =>
    restart(setOrder)({ sort, descending: sort === order.sort ? !order.descending : isDescending(sort) });
  const onType = ({ currentTarget: { value } }) => {
    clearTimeout(typing.current);
    typing.current = setTimeout(() => restart(setSearch)(value.trim()), TYPING_MS);
  };
  const { entries, total = entries.length, next } = seen ?? { entries: [] };
  const hasMore = list.isCounted ? (trail.length + 1) * PAGE < total : Boolean(next);
  return h('section', {}, [
    h('div', { class: 'tools' }, [
      h('h2', {}, list.title),
      list.orders && h(Orders, { orders: list.orders, order, onSort: sortBy }),
      list.search &&
        h('input', {
          type: 'search',
          placeholder: list.search,
          'aria-label': list.search,
          onInput: onType,
        }),
    ]),
    h(Table, {
      columns: list.columns(actions),
      entries,
      keyOf: list.keyOf,
      order,
      onSort: sortBy,
      title: list.title,
      none: seen === undefined ? 'Looking …' : search === '' ? list.none : 'Nothing is found.',
      isLong: true,
    }),
    h(Pager, {
      total,
      shown: entries.length,
      page: trail.length,
      hasMore,
      onBack: () => setTrail(trail.slice(0, -1)),
      onForth: () => setTrail([...trail, next ?? null]),
    }),
  ]);
}

/** The orders of a list by their names: a phone has no headings, and not every order is a column. */
function Orders({ orders, order, onSort }) {
  const change = ({ currentTarget: { value } }) => onSort(value);
  return h('div', { class: 'orders' }, [
    h(
      'select',
      { 'aria-label': 'Order', value: order.sort, onChange: change },
      orders.map(([sort, text]) => h('option', { value: sort }, text)),
    ),
    h(
      'button',
      {
        type: 'button',
        title: 'Turn the order around',
        'aria-label': 'Turn the order around',
        onClick: () => onSort(order.sort),
      },
      order.descending ? '↓' : '↑',
    ),
  ]);
}

function logOutQuestion({ cookie, authid, realm }, act) {
  const procedure = 'crossbar.monitor.cookie.logout';
  if (authid === undefined) {
    return {
      text: `Log the browser with cookie ${cookie} out? Its sessions end, and it is not recognised any more.`,
      yes: 'Log out',
      act: () => act(procedure, { digest: cookie }),
    };
  }
  return {
    text: `Log ${authid} out everywhere? All sessions of this user in ${realm} end, and no browser stays logged in.`,
    yes: 'Log out everywhere',
    act: () => act(procedure, { authid, realm }),
  };
}

function Question({ text, yes, act, onNo }) {
  const dialog = useRef(null);
  useEffect(() => dialog.current?.showModal(), []);
  // Once closed, the browser gives the focus back to what was clicked.
  const close = () => dialog.current.close();
  const agree = () => {
    close();
    act();
  };
  return h('dialog', { ref: dialog, 'aria-labelledby': 'question', onClose: onNo }, [
    h('p', { id: 'question' }, text),
    h('div', { class: 'actions' }, [
      h('button', { type: 'button', onClick: close }, 'Cancel'),
      h('button', { type: 'button', class: 'danger', onClick: agree }, yes),
    ]),
  ]);
}

/** Rates of the node and of its realms since the look before. */
function glanceOf(seen, past) {
  const seconds = past === undefined ? 0 : (seen.clock_ms - past.clock_ms) / 1000;
  const [total, earlier] = [totalsOf(seen), past && totalsOf(past)];
  const per = (now, then) => (past === undefined || seconds <= 0 ? undefined : Math.max(0, now - then) / seconds);
  const entry = {
    at: Date.parse(seen.now) / 1000,
    sessions: total.sessions,
    unsent: total.unsent_bytes,
    received: per(total.received, earlier?.received),
    sent: per(total.sent, earlier?.sent),
    cpu: per(seen.node.cpu_seconds, past?.node.cpu_seconds),
  };
  const keyOf = ({ worker, realm }) => `${worker} ${realm}`;
  return { entry, previous: ratesOf(seen.realms, past?.realms, seconds, keyOf, ['received', 'sent']) };
}

/** Nobody looks at a page in the background. */
function whileSeen(look) {
  let timer;
  let looks = 0;
  const go = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    await look();
    clearTimeout(timer);
    timer = setTimeout(go, ++looks === 1 ? SECOND_LOOK_MS : LOOK_MS);
  };
  document.addEventListener('visibilitychange', go);
  go();
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', go);
  };
}
