// Who somebody is on this page: a public id made from the authid, and what follows from that id: name, colour, looks.
// Everything below works from the public id alone, so all tabs agree about a person without telling each other.
//
// A visitor's authid comes from the cookie: it goes into a one-way hash here and nowhere else, so that it cannot be
// seen on the page. A member, who has logged in, is `@` and the name. Visitors say themselves who they are; that
// somebody is a member is for the node to say.

import { sha256Hex } from './sha256.js';

const ADJECTIVES = `Amber Bold Brave Breezy Bright Bubbly Calm Candid Cheery Clever Cosmic Cosy Curious Dapper Daring
  Dreamy Eager Early Fabled Fancy Fearless Fluffy Gentle Giddy Glad Golden Graceful Happy Hazel Honest Humble Icy
  Jolly Joyful Keen Kind Lively Lucky Lunar Mellow Merry Mighty Misty Modest Nimble Noble Peppy Plucky Polar Proud
  Quick Quiet Rosy Rustic Silver Sleepy Snowy Solar Sunny Swift Tender Velvet Wise Witty`.split(/\s+/);

// Each animal with the ears and the nose that its picture gets.
const ANIMALS = [
  ['Badger', 'round', 'snout'],
  ['Bear', 'round', 'snout'],
  ['Beaver', 'round', 'teeth'],
  ['Bunny', 'long', 'teeth'],
  ['Cat', 'point', 'whiskers'],
  ['Chick', 'none', 'beak'],
  ['Deer', 'horns', 'snout'],
  ['Donkey', 'long', 'snout'],
  ['Duck', 'none', 'beak'],
  ['Falcon', 'tufts', 'beak'],
  ['Fawn', 'droop', 'snout'],
  ['Ferret', 'round', 'whiskers'],
  ['Fox', 'point', 'snout'],
  ['Goat', 'horns', 'plain'],
  ['Hamster', 'round', 'teeth'],
  ['Hare', 'long', 'whiskers'],
  ['Heron', 'tufts', 'beak'],
  ['Koala', 'round', 'plain'],
  ['Lamb', 'droop', 'plain'],
  ['Lynx', 'point', 'whiskers'],
  ['Marten', 'point', 'plain'],
  ['Mole', 'none', 'snout'],
  ['Mouse', 'round', 'whiskers'],
  ['Otter', 'round', 'whiskers'],
  ['Owl', 'tufts', 'beak'],
  ['Panda', 'round', 'plain'],
  ['Penguin', 'none', 'beak'],
  ['Puffin', 'none', 'beak'],
  ['Puppy', 'droop', 'snout'],
  ['Robin', 'none', 'beak'],
  ['Seal', 'none', 'whiskers'],
  ['Wolf', 'point', 'snout'],
];

const EYES = ['dots', 'big', 'happy', 'wink', 'side'];
const EXTRAS = ['none', 'none', 'glasses', 'flower', 'bow', 'cap', 'freckles', 'crown'];

const MEMBER = 'member';

/** @returns the public id of a visitor: 16 hex digits of a hash, far too few to get back to the authid. */
export function publicId({ authid, authrole }) {
  return memberId(authid, authrole) ?? hashOf(authid).slice(0, 16);
}

/** @returns the public id of a member; undefined for everybody whom the node does not call one. */
export function memberId(authid, authrole) {
  return authrole === MEMBER && isMember(`@${authid}`) ? `@${authid}` : undefined;
}

/** Whether a value that came over the wire can be the public id of a visitor. */
export function isVisitor(value) {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
}

/** Whether a value looks like the public id of a member. Only the node can say whether it is one. */
export function isMember(value) {
  return typeof value === 'string' && /^@[a-z][a-z0-9]{0,30}$/.test(value);
}

function hashOf(authid) {
  return sha256Hex(`crossbar-ts demo person:${authid}`);
}

/** @returns what a public id looks like: `name`, `hue` (degrees), and the parts of the avatar. */
export function describe(id) {
  const digits = isMember(id) ? hashOf(id) : id;
  const byte = (n) => Number.parseInt(digits.slice(n * 2, n * 2 + 2), 16);
  const [animal, ears, nose] = ANIMALS[byte(1) % ANIMALS.length];
  return {
    name: isMember(id)
      ? id.charAt(1).toUpperCase() + id.slice(2)
      : `${ADJECTIVES[byte(0) % ADJECTIVES.length]} ${animal}`,
    hue: Math.round(((byte(2) * 256 + byte(3)) / 65536) * 360),
    ears,
    nose,
    eyes: EYES[byte(4) % EYES.length],
    extra: EXTRAS[byte(5) % EXTRAS.length],
    accentHue: Math.round((byte(6) / 256) * 360),
  };
}
