/** The monitor: logs somebody in, stays connected, and shows what there is. */
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { h, render } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { join } from './client.js';
import { Login } from './login.js';
import { LOOK_MS, Monitor } from './view.js';
import { waysOf } from './ways.js';

/** The node does not let in. */
const DENIED = ['wamp.error.not_authorized', 'wamp.error.authentication_denied'];
/** Where the browser keeps which way was gone the last time; nothing secret. */
const WAY = `monitor ${location.pathname}`;

function lastWay() {
  try {
    return localStorage.getItem(WAY);
  } catch {
    return null; // the browser keeps nothing
  }
}

function keepWay(word) {
  try {
    localStorage.setItem(WAY, word);
  } catch {
    // The browser keeps nothing: next time the first way is shown.
  }
}

/** What is said when a login is refused. Who guesses learns nothing of what was wrong. */
function refusalText({ uri, message }, login, ways) {
  if (!uri) return message;
  if (!DENIED.includes(uri) || message.includes('too many')) return `The node refused: ${message}`;
  const more = ways.length > 1 ? ' A user may need another way to log in.' : '';
  return login.way.wrong + more;
}

/** Who is logged in, or the form. A lost connection is made again with what was typed before, and again until somebody answers. */
function Page({ settings, ways: { silent, typed: ways } }) {
  const [session, setSession] = useState();
  const [state, setState] = useState({ isBusy: true });
  const attempt = useRef(0);

  const enter = useCallback(async (login, isReturn = false) => {
    const mine = ++attempt.current;
    if (!isReturn) setState({ isBusy: true });
    // Unless somebody has typed something else meanwhile, or has left.
    const comeBack = () => setTimeout(() => mine === attempt.current && enter(login, true), LOOK_MS);
    const onLost = ({ isLost, uri, message }) => {
      if (mine !== attempt.current) return;
      setState({ isLost, problem: isLost || uri === 'wamp.close.goodbye_and_out' ? undefined : message });
      // What was seen stays until the node is back.
      if (isLost) comeBack();
      else setSession(undefined);
    };
    try {
      const url = new URL('ws', location.href);
      url.protocol = url.protocol.replace('http', 'ws');
      url.hash = '';
      const proof = login === undefined ? { authmethods: silent } : await login.way.proof(login);
      const joined = await join({ url, realm: settings.realm, proof, onLost });
      if (login !== undefined) keepWay(login.way.word);
      setState({});
      setSession(joined);
    } catch (failure) {
      if (mine !== attempt.current) return;
      if (isReturn && failure.isLost) return comeBack();
      const isKnown = login === undefined && failure.uri !== '';
      setSession(undefined);
      setState({ problem: isKnown ? undefined : login ? refusalText(failure, login, ways) : failure.message });
    }
  }, []);

  useEffect(() => {
    if (silent.length > 0) enter(undefined);
    else setState({});
  }, []);

  if (session === undefined) return h(Login, { ...state, ways, first: lastWay(), onLogin: enter });
  const onLeave = () => {
    if (!state.isLost) return session.leave(settings.methods.includes('cookie'));
    attempt.current++;
    setSession(undefined);
    setState({ problem: 'The node cannot be reached. If a cookie remembers you, you are still logged in there.' });
  };
  return h(Monitor, { session, isLost: state.isLost, onLeave });
}

const settings = await (await fetch('settings.json')).json();
const ways = await waysOf(settings.methods);
render(h(Page, { settings, ways }), document.getElementById('page'));
