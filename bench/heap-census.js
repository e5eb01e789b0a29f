/**
 * Counts live objects by the name of their class, from a heap snapshot of this process. V8 collects the garbage before it
 * takes one, so what is counted is held by somebody.
 *
 * A snapshot is one large JSON text: a `nodes` array of numbers, other arrays, and `strings` at its end. It can be larger
 * than a JavaScript string may be, so it is read where it lies.
 */
import { once } from 'node:events';
import { getHeapSnapshot } from 'node:v8';

const COMMA = 0x2c;
const CLOSING_BRACKET = 0x5d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * @param {readonly string[]} classes
 * @returns {Promise<Record<string, number>>} a count for every class, 0 for an unknown one. The prototype of a subclass
 *   counts as an object of the class above it, so compare with a count from before
 */
export async function countObjects(classes) {
  const byName = await countClasses();
  return Object.fromEntries(classes.map((name) => [name, byName.get(name) ?? 0]));
}

/** @returns {Promise<Map<string, number>>} live objects by the name of their class, all of them */
export async function countClasses() {
  const snapshot = await takeSnapshot();
  const nodesAt = endOf(snapshot, '"nodes":[');
  const head = snapshot.toString('latin1', 0, nodesAt);
  const { node_fields: fields, node_types: types } = JSON.parse(/"meta":(\{.*?\}),"node_count"/s.exec(head)?.[1] ?? '');
  const counts = countNodes(snapshot, nodesAt, {
    fieldCount: fields.length,
    typeField: fields.indexOf('type'),
    nameField: fields.indexOf('name'),
    objectType: types[0].indexOf('object'),
  });
  const stringsAt = endOf(snapshot, '\n"strings":', nodesAt);
  const strings = /** @type {string[]} */ (
    JSON.parse(snapshot.toString('utf8', stringsAt, snapshot.lastIndexOf(']') + 1))
  );
  return new Map([...counts].map(([index, count]) => [strings[index] ?? '', count]));
}

/** @returns {Promise<Buffer>} */
async function takeSnapshot() {
  const chunks = /** @type {Buffer[]} */ ([]);
  const stream = getHeapSnapshot();
  stream.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

/**
 * @param {Buffer} snapshot
 * @param {number} start of the numbers of the nodes
 * @param {{ fieldCount: number, typeField: number, nameField: number, objectType: number }} layout
 * @returns {Map<number, number>} index of a name -> number of objects
 */
function countNodes(snapshot, start, { fieldCount, typeField, nameField, objectType }) {
  const counts = new Map();
  const node = new Array(fieldCount).fill(0);
  let field = 0;
  let value = 0;
  for (let at = start; at < snapshot.length; at++) {
    const byte = /** @type {number} */ (snapshot[at]);
    if (byte >= ZERO && byte <= NINE) {
      value = value * 10 + byte - ZERO;
    } else if (byte === COMMA || byte === CLOSING_BRACKET) {
      node[field++] = value;
      value = 0;
      if (field === fieldCount) {
        field = 0;
        if (node[typeField] === objectType) counts.set(node[nameField], (counts.get(node[nameField]) ?? 0) + 1);
      }
      if (byte === CLOSING_BRACKET) break;
    }
  }
  return counts;
}

/**
 * @param {Buffer} snapshot
 * @param {string} text
 * @param {number} [from]
 * @returns {number} where what follows the text begins
 */
function endOf(snapshot, text, from = 0) {
  const found = snapshot.indexOf(text, from, 'latin1');
  if (found < 0) throw new Error(`a heap snapshot of this version of Node.js has no ${text}`);
  return found + text.length;
}
