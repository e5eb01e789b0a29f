// Who somebody is on this page: a public id made from the authid, and what follows from that id: name, colour, looks.
// The authid is the value of the visitor's cookie. Whoever has it is that visitor, so it goes into a one-way hash here
// and nowhere else: it is not shown, stored or published. Everything below works from the public id alone, so all
// tabs agree about a person without telling each other.

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

/** @returns the public id of a person: 16 hex digits of a hash, far too few to get back to the authid. */
export function publicId(authid) {
  return sha256Hex(`crossbar-ts demo person:${authid}`).slice(0, 16);
}

/** Whether a value that came over the wire can be a public id. */
export function isPublicId(value) {
  return typeof value === 'string' && /^[0-9a-f]{16}$/.test(value);
}

/** @returns what a public id looks like: `name`, `hue` (degrees), and the parts of the avatar. */
export function describe(id) {
  const byte = (n) => Number.parseInt(id.slice(n * 2, n * 2 + 2), 16);
  const [animal, ears, nose] = ANIMALS[byte(1) % ANIMALS.length];
  return {
    name: `${ADJECTIVES[byte(0) % ADJECTIVES.length]} ${animal}`,
    hue: Math.round(((byte(2) * 256 + byte(3)) / 65536) * 360),
    ears,
    nose,
    eyes: EYES[byte(4) % EYES.length],
    extra: EXTRAS[byte(5) % EXTRAS.length],
    accentHue: Math.round((byte(6) / 256) * 360),
  };
}
