/** `reload --restart-components` where a component cannot run, and the one before it neither; and with two routers, of which one is well. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ReloadReport } from '../../../src/node/reload/report.js';
import { auditEntries } from '../../support/audit-file.js';
import { nodeConfig, openRealm } from '../../support/node-config.js';
import { directoryWith } from '../../support/node-directory.js';
import { endpointAt, ReloadedDaemon } from '../../support/reloading.js';
import { WampClient } from '../../support/wamp-client.js';

const MODULE = `
  import { existsSync } from 'node:fs';
  export default async function (session, { extra }) {
    if (extra.fails) throw new Error('no database');
    if (existsSync(extra.gate)) throw new Error('the gate is shut');
    await session.register('com.answer', () => extra.answer);
  }
`;

it('says both, and what could run in the other worker runs', async () => {
  const cbdir = directoryWith({ 'answer.mjs': MODULE });
  const gate = path.join(cbdir, 'shut');
  const component = (realm: string, extra: object): object => {
    return { type: 'module', id: `of_${realm}`, realm, module: './answer.mjs', extra: { gate, ...extra } };
  };
  const configOf = (ports: readonly number[], one: object, two: object): object => {
    const workers = [one, two].map((extra, at) => {
      const realm = `realm${String(at + 1)}`;
      const parts = { realms: [openRealm(realm)], transport: { endpoint: endpointAt(ports[at] ?? 0) } };
      const [worker] = (nodeConfig(parts) as { workers: object[] }).workers;
      return { ...worker, id: `worker_${String(at)}`, components: [component(realm, extra)] };
    });
    return { version: 2, controller: { options: { audit: { file: 'audit.log' } } }, workers };
  };
  const node = await ReloadedDaemon.start((ports) => configOf(ports, { answer: 'a' }, { answer: 'b' }), {
    ...{ cbdir, portCount: 2 },
  });
  onTestFinished(() => node.dispose());
  const restart = (one: object, two: object): Promise<ReloadReport> => {
    node.write(configOf(node.ports, one, two));
    return node.node.reload({ restartComponents: true });
  };
  const answers = (): Promise<unknown[]> =>
    Promise.all(
      node.ports.map(async (port, at) => {
        const client = await WampClient.join(`ws://127.0.0.1:${port}/ws`, `realm${String(at + 1)}`);
        const answer = await client.ask([48, 1, {}, 'com.answer']);
        await client.drop();
        return answer[0] === 50 ? (answer[3] as unknown[])[0] : answer[4];
      }),
    );

  writeFileSync(gate, '');
  const failed = await restart({ fails: true }, { answer: 'b', gate: '' });
  expect(failed.ok).toBe(false);
  expect(JSON.stringify(failed)).toContain('no database');
  expect(JSON.stringify(failed)).toContain('component of_realm1, as it was before: the gate is shut');
  expect(failed.pending).toEqual(['/workers/0/components/0']);
  expect(failed.components.started).toEqual(['of_realm2']);
  expect(await answers()).toEqual(['wamp.error.no_such_procedure', 'b']);
  expect(await node.node.status()).toMatchObject({ last_reload_successful: false, pending_restart: failed.pending });

  // The config of the start: the component that is missing has a second chance.
  rmSync(gate);
  const mended = await restart({ answer: 'a' }, { answer: 'c' });
  expect(mended).toMatchObject({ ok: true, pending: [] });
  expect([...mended.components.started].sort()).toEqual(['of_realm1', 'of_realm2']);
  expect(await answers()).toEqual(['a', 'c']);

  const entries = auditEntries(readFileSync(path.join(cbdir, 'audit.log'), 'utf8'));
  expect(entries.filter(({ event }) => event === 'config reloaded').map(({ outcome }) => outcome)).toEqual([
    'failed',
    'ok',
  ]);
  expect(entries.filter(({ event }) => event === 'control')).toMatchObject([
    { request: 'node.reload', restart_components: true },
    { request: 'node.reload', restart_components: true },
  ]);
});
