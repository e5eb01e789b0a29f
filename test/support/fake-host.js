/**
 * A component host that does as it is told: for the tests of `worker/host/component-host.ts`, which needs no Python for them. Its
 * argument says how it begins; `extra.does` of a component, what that does, step by step.
 */
import { Socket } from 'node:net';

const [, , manner = 'hello'] = process.argv;
const control = new Socket({ fd: 3 });
const tell = (message) => control.write(typeof message === 'string' ? message : `${JSON.stringify(message)}\n`);

const STEPS = {
  joined: (component) => tell({ type: 'joined', component, session: 7, realm: 'realm1', authid: 'a', authrole: 'b' }),
  ready: (component) => tell({ type: 'ready', component }),
  failed: (component) =>
    tell({ type: 'failed', component, stage: 'import', problem: 'no module', trace: 'line 1\nline 2' }),
  left: (component) => tell({ type: 'left', component, reason: 'wamp.close.normal', clean: true }),
  log: (component) => tell({ type: 'log', level: 'warn', text: 'careful', logger: 'mine', component }),
  flood: () => {
    for (let n = 0; n < 5000; n += 1) tell({ type: 'log', level: 'info', text: `line ${n}` });
  },
  echo: (component) => {
    const link = new Socket({ fd: 4 });
    link.on('data', (bytes) => link.write(bytes));
    STEPS.joined(component);
  },
  nonsense: () => tell('this is no message\n'),
  exit: () => process.exit(7),
  die: () => process.kill(process.pid, 'SIGKILL'),
  deaf: () => control.removeAllListeners('data'),
};

const HANDLERS = {
  setup: (setup) => {
    console.log(`setup ${JSON.stringify(setup)}`);
    if (manner === 'hello') tell({ type: 'hello', versions: { fake: '1.0' } });
    else if (manner === 'unusable') tell({ type: 'unusable', problem: 'the package "fake" is missing' });
    else if (manner === 'exit') process.exit(3);
  },
  level: ({ loglevel }) => tell({ type: 'log', level: 'info', text: `the level is ${loglevel}` }),
  start: ({ component, spec }) => {
    for (const step of spec.extra.does) STEPS[step](component);
  },
  stop: () => process.exit(0),
};

let text = '';
control.setEncoding('utf8');
control.on('data', (chunk) => {
  text += chunk;
  const lines = text.split('\n');
  text = lines.pop() ?? '';
  for (const message of lines.map((line) => JSON.parse(line))) HANDLERS[message.type](message);
});
control.on('close', () => process.exit(0));
