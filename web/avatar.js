// The picture of a person: an animal's head drawn as inline SVG from the parts that `describe` names. Colours are
// written into the shapes, not taken from the style sheet, so that the same picture also serves as the tab's icon.

import { describe } from './identity.js';

const SVG = 'http://www.w3.org/2000/svg';

/** @returns a square `<svg>` for a public id. It is decoration: the name stands beside it, so it is hidden from readers. */
export function avatar(id) {
  const looks = describe(id);
  const paint = palette(looks);
  const picture = shape('svg', { viewBox: '0 0 64 64', 'aria-hidden': 'true', focusable: 'false' }, [
    shape('circle', { cx: 32, cy: 32, r: 32, fill: paint.backdrop }),
    ...EARS[looks.ears](paint),
    shape('path', { d: 'M32 18c13 0 21 8.5 21 20S44 56 32 56 11 49.5 11 38s8-20 21-20z', fill: paint.fur }),
    shape('ellipse', { cx: 32, cy: 47, rx: 13, ry: 8, fill: paint.light }),
    ...cheeks(paint),
    ...EYES[looks.eyes](paint),
    ...NOSES[looks.nose](paint),
    ...EXTRAS[looks.extra](paint),
  ]);
  picture.classList.add('avatar');
  return picture;
}

/** @returns the same picture as a `data:` URL. */
export function avatarUrl(id) {
  const picture = avatar(id);
  picture.setAttribute('xmlns', SVG);
  return `data:image/svg+xml,${encodeURIComponent(picture.outerHTML)}`;
}

function palette({ hue, accentHue }) {
  return {
    backdrop: `oklch(0.9 0.06 ${hue})`,
    fur: `oklch(0.7 0.14 ${hue})`,
    dark: `oklch(0.56 0.13 ${hue})`,
    light: `oklch(0.87 0.07 ${hue})`,
    ink: '#262335',
    horn: 'oklch(0.66 0.06 75)',
    blush: 'oklch(0.72 0.15 20 / 0.55)',
    beak: 'oklch(0.79 0.16 70)',
    accent: `oklch(0.62 0.19 ${accentHue})`,
    accentLight: `oklch(0.85 0.11 ${accentHue})`,
  };
}

function shape(name, attributes, children = []) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

const dot = (cx, cy, r, fill) => shape('circle', { cx, cy, r, fill });
const fillPath = (d, fill) => shape('path', { d, fill });
const line = (d, stroke, width = 2) =>
  shape('path', {
    d,
    fill: 'none',
    stroke,
    'stroke-width': width,
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  });

function cheeks({ blush }) {
  return [dot(18.5, 43, 3.5, blush), dot(45.5, 43, 3.5, blush)];
}

const EARS = {
  none: ({ dark }) => [line('M32 19c-1-4 0-6 2-8M32 19c1-3 3-5 6-5', dark, 2.6)],
  round: ({ dark, light }) => [
    dot(16, 21, 7.5, dark),
    dot(48, 21, 7.5, dark),
    dot(16, 21, 4, light),
    dot(48, 21, 4, light),
  ],
  point: ({ dark, light }) => [
    fillPath('M12 34 11 11c0-1.5 1.5-2 2.5-1L30 22zM52 34l1-23c0-1.5-1.5-2-2.5-1L34 22z', dark),
    fillPath('M15 27l-.5-10 8 6.5zM49 27l.5-10-8 6.5z', light),
  ],
  long: ({ dark, light }) => [
    shape('ellipse', { cx: 22, cy: 14, rx: 5.5, ry: 13, fill: dark, transform: 'rotate(-10 22 14)' }),
    shape('ellipse', { cx: 42, cy: 14, rx: 5.5, ry: 13, fill: dark, transform: 'rotate(10 42 14)' }),
    shape('ellipse', { cx: 22, cy: 14, rx: 2.5, ry: 9, fill: light, transform: 'rotate(-10 22 14)' }),
    shape('ellipse', { cx: 42, cy: 14, rx: 2.5, ry: 9, fill: light, transform: 'rotate(10 42 14)' }),
  ],
  droop: ({ dark }) => [
    shape('ellipse', { cx: 12, cy: 32, rx: 6, ry: 12, fill: dark, transform: 'rotate(16 12 32)' }),
    shape('ellipse', { cx: 52, cy: 32, rx: 6, ry: 12, fill: dark, transform: 'rotate(-16 52 32)' }),
  ],
  horns: ({ dark, horn }) => [
    line('M23 21c-5-2-7-6-6-11M41 21c5-2 7-6 6-11', horn, 4.5),
    shape('ellipse', { cx: 11, cy: 29, rx: 7, ry: 4, fill: dark, transform: 'rotate(20 11 29)' }),
    shape('ellipse', { cx: 53, cy: 29, rx: 7, ry: 4, fill: dark, transform: 'rotate(-20 53 29)' }),
  ],
  tufts: ({ dark }) => [fillPath('M13 30c-1-8-1-13-4-18 8 1 14 4 18 9zM51 30c1-8 1-13 4-18-8 1-14 4-18 9z', dark)],
};

const EYES = {
  dots: ({ ink }) => [dot(24, 35, 2.8, ink), dot(40, 35, 2.8, ink)],
  big: ({ ink }) => [
    ...[24, 40].flatMap((x) => [dot(x, 35, 5, '#fff'), dot(x, 35, 3.2, ink), dot(x + 1.2, 33.8, 1.1, '#fff')]),
  ],
  happy: ({ ink }) => [line('M20 36c1-3.5 7-3.5 8 0M36 36c1-3.5 7-3.5 8 0', ink, 2.4)],
  wink: ({ ink }) => [dot(24, 35, 3, ink), dot(25, 34, 0.9, '#fff'), line('M36 35.5c2 1.5 6 1.5 8-.5', ink, 2.4)],
  side: ({ ink }) => [24, 40].flatMap((x) => [dot(x, 35, 4.4, '#fff'), dot(x + 1.5, 35.5, 2.4, ink)]),
};

const NOSES = {
  plain: ({ ink }) => [fillPath('M29 42h6c0 2-2 3.5-3 3.5s-3-1.5-3-3.5z', ink), line('M28 48c2 2.5 6 2.5 8 0', ink)],
  snout: ({ ink }) => [
    shape('ellipse', { cx: 32, cy: 43, rx: 4.2, ry: 3.2, fill: ink }),
    line('M32 46v2.5M27.5 49c2 2 3.5 1.5 4.5-.5 1 2 2.5 2.5 4.5.5', ink, 1.8),
  ],
  whiskers: ({ ink, dark }) => [
    fillPath('M29.5 42h5L32 45z', ink),
    line('M27.5 47.5c2 1.8 3.7 1.5 4.5-.5.8 2 2.5 2.3 4.5.5', ink, 1.8),
    line('M19 46.5l-8-1.5M19 49.5l-7 2M45 46.5l8-1.5M45 49.5l7 2', dark, 1.4),
  ],
  teeth: ({ ink }) => [
    fillPath('M29.5 42h5L32 45z', ink),
    line('M27 47c2 1.5 4 1.5 5 0 1 1.5 3 1.5 5 0', ink, 1.8),
    shape('rect', { x: 29.8, y: 48.2, width: 4.4, height: 4, rx: 1, fill: '#fff' }),
  ],
  beak: ({ beak, ink }) => [
    fillPath('M24.5 43.5c3-4 12-4 15 0-2 4-5 6-7.5 6s-5.5-2-7.5-6z', beak),
    line('M26 44c4 1.3 8 1.3 12 0', ink, 1.2),
  ],
};

const EXTRAS = {
  none: () => [],
  glasses: ({ ink }) => [
    shape('circle', { cx: 24, cy: 35, r: 6.5, fill: 'rgb(255 255 255 / 0.18)', stroke: ink, 'stroke-width': 1.8 }),
    shape('circle', { cx: 40, cy: 35, r: 6.5, fill: 'rgb(255 255 255 / 0.18)', stroke: ink, 'stroke-width': 1.8 }),
    line('M30.5 34.5c1-.8 2-.8 3 0M17.5 34l-5-1.5M46.5 34l5-1.5', ink, 1.8),
  ],
  flower: ({ accent, accentLight }) => [
    ...[0, 72, 144, 216, 288].map((turn) =>
      shape('circle', { cx: 46, cy: 17, r: 3.2, fill: accent, transform: `rotate(${turn} 46 21)` }),
    ),
    dot(46, 21, 2.8, accentLight),
  ],
  bow: ({ accent, accentLight }) => [
    fillPath('M32 58c-4 4-9 4-11 2v-7c2-2 7-1 11 3zM32 58c4 4 9 4 11 2v-7c-2-2-7-1-11 3z', accent),
    dot(32, 57, 2.6, accentLight),
  ],
  cap: ({ accent, accentLight }) => [
    fillPath('M17 24c1-10 8-14 15-14s14 4 15 14c-9-3-21-3-30 0z', accent),
    fillPath('M15 25c9-5 25-5 34 0 1 1.5 0 3-2 2.5-9-3-21-3-30 0-2 .5-3-1-2-2.5z', accentLight),
    dot(32, 10, 2.4, accentLight),
  ],
  freckles: ({ dark }) => [
    dot(16.5, 40, 0.9, dark),
    dot(20, 39.3, 0.9, dark),
    dot(44, 39.3, 0.9, dark),
    dot(47.5, 40, 0.9, dark),
  ],
  crown: ({ beak, accent }) => [
    fillPath('M22 21 20 9l7 5 5-8 5 8 7-5-2 12c-6-2-14-2-20 0z', beak),
    dot(32, 16, 1.8, accent),
  ],
};
