/**
 * The process of one attack: repeats its rounds until the time is over, and ends with everything that it holds. It is told what to
 * do by its arguments and sends how often it did it.
 */
import os from 'node:os';
import { ATTACKS } from './attacks.js';
import { Attacker, pause } from './wire.js';

/** A round that waits for an answer which never comes is over after this. */
const MAX_ROUND_MS = 3000;
/** Where processors are few, an attack on the machine is none on the node. */
const LOWER = 5;

const [name = '', port = '', rawPort = '', seconds = '', address = ''] = process.argv.slice(2);
const attack = ATTACKS.find((candidate) => candidate.name === name);
if (attack === undefined) throw new Error(`there is no attack "${name}"`);
os.setPriority(Math.min(os.getPriority() + LOWER, os.constants.priority.PRIORITY_LOW));

const place = { port: Number(port), rawPort: Number(rawPort), address };
const attacker = new Attacker({ ...place, seconds: Number(seconds) });
let rounds = 0;
while (!attacker.isOver) {
  const left = Math.min(MAX_ROUND_MS, attacker.deadline - Date.now());
  await Promise.race([attack.round(attacker), pause(left)]);
  rounds++;
  if (attack.held !== undefined && rounds % attack.held === 0) attacker.letGo();
}
process.send?.({ rounds, turnedAway: attacker.turnedAway }, () => process.exit());
