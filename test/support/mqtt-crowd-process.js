// A crowd of clients of MQTT in one process, which kill -9 ends while messages come: when it has got as many as it is told, before the last
// one is answered. Arguments: the port, the file of the journal, this number, the members as JSON (see mqtt-crowd.ts). What a client must
// not forget is in the journal before it answers. When all have what they asked for it says `ready`.
import { openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import process from 'node:process';
import mqttPacket from 'mqtt-packet';

const [port = '', file = '', most = '', members = '[]'] = process.argv.slice(2);
const journal = openSync(file, 'a');
let heard = 0;
const note = (entry) => writeSync(journal, `${JSON.stringify(entry)}\n`);

function join({ clientId, clean, will, filter, answers, own }, ready) {
  const socket = connect(Number(port), '127.0.0.1');
  const send = (packet) => socket.write(mqttPacket.generate(packet));
  const on = {
    connack: () => send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: filter, qos: 2 }] }),
    suback: () => {
      if (own === undefined) ready();
      else send({ cmd: 'publish', topic: own, payload: clientId, qos: 2, messageId: 7, dup: false, retain: false });
    },
    // Its PUBREL never comes.
    pubrec: () => ready(),
    publish: ({ payload, qos, messageId, dup }) => {
      note({ clientId, got: Number.parseInt(payload.toString(), 10), qos, messageId, dup });
      heard += 1;
      if (heard === Number(most)) process.kill(process.pid, 'SIGKILL');
      if (answers !== 'none') send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId });
    },
    pubrel: ({ messageId }) => {
      if (answers !== 'all') return;
      note({ clientId, released: messageId });
      send({ cmd: 'pubcomp', messageId });
    },
  };
  const parser = mqttPacket.parser();
  parser.on('packet', (packet) => on[packet.cmd]?.(packet));
  socket.on('data', (octets) => parser.parse(octets));
  const protocol = { protocolId: 'MQTT', protocolVersion: 4, keepalive: 0 };
  send({
    cmd: 'connect',
    ...protocol,
    clientId,
    clean,
    will: { topic: will, payload: clientId, qos: 1, retain: false },
  });
}

const crowd = JSON.parse(members);
let awaited = crowd.length;
for (const member of crowd) {
  join(member, () => {
    if (--awaited === 0) process.stdout.write('ready');
  });
}
