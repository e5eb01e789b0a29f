/** The end of path trees that share a port: the connections are those of the first one, whoever answers on them. */
import { expect, it } from 'vitest';
import { SharedRoot } from '../../../src/http/shared-root.js';
import { SharedPorts } from '../../../src/transport/shared-port.js';

it('no tree is done before the others are, and each is stopped once', async () => {
  const port = new SharedPorts().of({ type: 'tcp', port: 8080, backlog: 10, shared: true });
  if (port === undefined) throw new TypeError('the port is shared');
  const seen: string[] = [];
  let letGo: () => void = () => undefined;
  const clientsGone = new Promise<void>((resolve) => (letGo = resolve));
  const tree = (name: string, end: Promise<void>): SharedRoot =>
    new SharedRoot(
      {
        handle: () => undefined,
        stop: async () => {
          seen.push(`${name} stops`);
          await end;
        },
      },
      [name],
      port,
    );
  const [first, second] = [tree('first', Promise.resolve()), tree('second', clientsGone)];
  for (const root of [first, second]) await root.start();
  const stops = [first, second].map((root) => root.stop().then(() => seen.push('done')));
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(['first stops', 'second stops']);
  letGo();
  await Promise.all(stops);
  expect(seen).toEqual(['first stops', 'second stops', 'done', 'done']);
});
