/** What the interoperability suite of Eclipse Paho asks of a server, asked with the programs of mosquitto, in MQTT 3.1.1 and 3.1. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { endTheirClients, HAS_MOSQUITTO, runMosquitto } from '../../support/mqtt-clients.js';
import type { Program } from '../../support/mqtt-clients.js';
import { MqttNode } from '../../support/mqtt-node.js';
import { describeNeeds } from '../../support/needs.js';
import { ALLOW_ALL } from '../../support/node-config.js';

const refused = { uri: 'test.nosubscribe', match: 'exact', allow: { publish: true } };

let node: MqttNode;
let own = '';
let tests = 0;
beforeAll(async () => {
  node = await MqttNode.start({
    realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: [...ALLOW_ALL, refused] }] }],
  });
});
afterAll(() => node.daemon.dispose());
beforeEach(() => {
  own = `t${++tests}`;
});
afterEach(endTheirClients);

describeNeeds('mosquitto-clients', HAS_MOSQUITTO).each([
  ['3.1.1', 'mqttv311'],
  ['3.1', 'mqttv31'],
])('mosquitto_pub and mosquitto_sub in MQTT %s', (_version, word) => {
  const at = (): readonly string[] => ['-h', '127.0.0.1', '-p', String(node.port()), '-V', word];

  /** Subscribes, says what is happening, and writes messages as `got topic payload q1 r0`. */
  async function sub(
    count: number,
    filters: readonly string[],
    more: readonly string[] = [],
    until = 'Subscribed',
  ): Promise<Program> {
    const asked = filters.flatMap((filter) => ['-t', `${own}/${filter}`]);
    const shown = ['-d', '-F', 'got %t %p q%q r%r'];
    const program = runMosquitto('mosquitto_sub', [
      ...at(),
      ...shown,
      '-q',
      '2',
      '-C',
      String(count),
      ...asked,
      ...more,
    ]);
    await program.seen(until);
    return program;
  }

  async function pub(topic: string, qos: number, more: readonly string[] = ['-m', 'x']): Promise<void> {
    const args = [...at(), '-t', `${own}/${topic}`, '-q', String(qos), ...more];
    expect(await runMosquitto('mosquitto_pub', args).ended()).toMatchObject({ code: 0 });
  }

  /** @returns what it got, when it has got all. */
  async function messages(program: Program): Promise<readonly string[]> {
    const { code, output } = await program.ended();
    expect(code).toBe(0);
    return [...output.matchAll(/^got (.*)$/gm)].map(([, text = '']) => text.replace(`${own}/`, ''));
  }

  it('messages of each QoS, and no more of what was unsubscribed', async () => {
    const all = await sub(4, ['#'], ['-U', `${own}/other`]);
    for (const qos of [0, 1, 2]) await pub(String(qos), qos);
    await pub('large', 1, ['-m', 'x'.repeat(3000)]);
    expect(await messages(all)).toEqual([
      ...['0 x q0 r0', '1 x q1 r0', '2 x q2 r0', `large ${'x'.repeat(3000)} q1 r0`],
    ]);
  });

  it('retained messages, until they are cleared', async () => {
    await pub('a', 1, ['-m', 'kept', '-r']);
    // They may come before SUBACK (MQTT 3.1.1, section 3.8.4).
    expect(await messages(await sub(1, ['+'], [], 'got '))).toEqual(['a kept q1 r1']);
    await pub('a', 1, ['-n', '-r']);
    const after = await sub(1, ['+']);
    await pub('b', 1);
    expect(await messages(after)).toEqual(['b x q1 r0']);
  });

  it('what came while a client was away', async () => {
    const kept = ['-c', '-i', own];
    const before = await sub(1, ['+'], kept);
    await pub('0', 1);
    await messages(before);
    for (const qos of [0, 1, 2]) await pub(String(qos), qos);
    expect(await messages(await sub(2, ['+'], kept))).toEqual(['1 x q1 r0', '2 x q2 r0']);
  });

  it('a will, when the program is killed', async () => {
    const heir = await sub(1, ['will']);
    const will = ['--will-topic', `${own}/will`, '--will-payload', 'gone', '--will-qos', '1'];
    const killed = await sub(1, ['nothing'], will);
    killed.kill();
    expect(await messages(heir)).toEqual(['will gone q1 r0']);
  });

  it('a filter that is refused', async () => {
    const args = [...at(), '-d', '-t', 'test/nosubscribe', '-t', `${own}/a`, '-q', '1', '-C', '1'];
    const program = runMosquitto('mosquitto_sub', args);
    await program.seen('): 128');
    await pub('a', 1);
    expect((await program.ended()).code).toBe(0);
  });

  it('a newer one with the same client id', async () => {
    const before = await sub(1, ['a'], ['-i', own]);
    // Else it would come back, and take its place again.
    before.kill('SIGSTOP');
    const after = await sub(1, ['a'], ['-i', own]);
    await pub('a', 1);
    expect(await messages(after)).toEqual(['a x q1 r0']);
  });
});

describeNeeds('mosquitto-clients', HAS_MOSQUITTO)('mosquitto_pub in MQTT 5', () => {
  it('says that the node does not speak it', async () => {
    const args = ['-h', '127.0.0.1', '-p', String(node.port()), '-V', 'mqttv5', '-t', 'a', '-m', 'x'];
    const { code, output } = await runMosquitto('mosquitto_pub', args).ended();
    expect(code).not.toBe(0);
    expect(output).toMatch(/protocol version/i);
  });
});
