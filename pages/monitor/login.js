/** The form with which operators log in. */
import { h } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** `ways` are those with a form, as `ways.js` has them; `first` is the word of the one that was gone the last time. */
export function Login({ isBusy = false, problem, ways, first, onLogin }) {
  const [word, setWord] = useState();
  // What was said of one way is not said of another.
  const [isOther, setOther] = useState(false);
  const form = useRef(null);
  const usable = ways.filter((way) => way.problem === undefined);
  const named = (list, wanted) => list.find((each) => each.word === wanted);
  const way = named(ways, word) ?? named(usable, first) ?? usable[0] ?? ways[0];

  // Where to go on typing: what is missing, or what was wrong.
  useEffect(() => {
    if (isBusy || !form.current) return;
    const { authid, secret } = form.current.elements;
    const next = problem !== undefined || !authid || authid.value !== '' ? secret : authid;
    next?.focus();
    next?.select();
  }, [isBusy, problem]);

  const choose = (chosen) => {
    setWord(chosen);
    setOther(true);
  };
  const submit = (event) => {
    event.preventDefault();
    setOther(false);
    const typed = new FormData(event.currentTarget);
    onLogin({ way, authid: typed.get('authid') ?? undefined, secret: typed.get('secret') });
  };
  return h('div', { class: 'login' }, [
    h('h1', {}, [h('img', { src: 'icon.svg', alt: '' }), 'Monitor']),
    way === undefined
      ? h('p', {}, isBusy ? 'Logging in …' : 'You are not logged in.')
      : h('form', { ref: form, 'aria-label': 'Log in', onSubmit: submit }, [
          ways.length > 1 && h(Choice, { ways, way, isBusy, onChoose: choose }),
          ...(way.problem === undefined
            ? fields(way, isBusy)
            : [h('p', { class: 'note', role: 'status' }, way.problem)]),
        ]),
    problem !== undefined && !isOther && h('p', { class: 'problem', role: 'alert' }, problem),
  ]);
}

function Choice({ ways, way, isBusy, onChoose }) {
  const change = ({ currentTarget: { value } }) => onChoose(value);
  return h('label', {}, [
    'Log in by',
    h(
      'select',
      { name: 'way', value: way.word, disabled: isBusy, onChange: change },
      ways.map(({ word, title }) => h('option', { value: word }, title)),
    ),
  ]);
}

/** The fields of another way are other fields: a password must not go as it is because somebody looks what else there is. */
function fields({ word, user, secret, isOpen }, isBusy) {
  const field = (name, label, rest) =>
    h('label', { key: `${word} ${name}` }, [
      label,
      h('input', { name, disabled: isBusy, spellcheck: false, autocapitalize: 'none', ...rest }),
    ]);
  const isNamed = user === 'must';
  return [
    user !== undefined &&
      h('label', { key: 'authid' }, [
        isNamed ? 'User' : 'User (may be left out)',
        h('input', {
          ...{ name: 'authid', type: 'text', autocomplete: 'username', required: isNamed, disabled: isBusy },
          ...{ spellcheck: false, autocapitalize: 'none' },
        }),
      ]),
    field('secret', secret, {
      ...{ type: 'password', required: true },
      autocomplete: isNamed ? 'current-password' : 'off',
    }),
    isOpen && h('p', { class: 'note' }, `There is no TLS: others on the way can read the ${secret.toLowerCase()}.`),
    h('button', { class: 'main', disabled: isBusy }, isBusy ? 'Logging in …' : 'Log in'),
  ];
}
