/** The form with which operators log in. */
import { h } from 'preact';

export function Login({ isBusy = false, problem, hasForm, settings, onLogin }) {
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    onLogin({ authid: form.get('authid'), secret: form.get('secret') });
  };
  const field = (name, label, type, autocomplete) =>
    h('label', {}, [label, h('input', { name, type, autocomplete, required: true, disabled: isBusy })]);
  return h('div', { class: 'login' }, [
    h('h1', {}, [h('img', { src: 'icon.svg', alt: '' }), 'Monitor']),
    hasForm
      ? h('form', { onSubmit: submit }, [
          field('authid', 'User', 'text', 'username'),
          field('secret', 'Password', 'password', 'current-password'),
          h('button', { class: 'main', disabled: isBusy }, isBusy ? 'Logging in …' : 'Log in'),
        ])
      : h('p', {}, isBusy ? 'Logging in …' : noForm(settings.methods)),
    problem !== undefined && h('p', { class: 'problem', role: 'alert' }, problem),
  ]);
}

function noForm(methods) {
  if (methods.includes('wampcra')) return 'The password is only sent safely by HTTPS, or on this machine by localhost.';
  return 'You are not logged in.';
}
