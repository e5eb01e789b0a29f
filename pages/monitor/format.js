/** Numbers and times as people read them. */
const number = new Intl.NumberFormat('en');

/** `1,024`, or a dash where there is nothing to show. */
export function count(value) {
  return value === null || value === undefined ? '–' : number.format(value);
}

/** A rate in one second: `12.3/s`, and without decimals from 100 on. */
export function rate(value) {
  if (value === undefined) return '–';
  return `${value < 100 && value > 0 ? value.toFixed(1) : count(Math.round(value))}/s`;
}

/** `0`, `1.5 KiB`, `20 MiB`. */
export function bytes(value) {
  if (value === null || value === undefined) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [rest, unit] = [value, 0];
  while (rest >= 1000 && unit < units.length - 1) [rest, unit] = [rest / 1024, unit + 1];
  if (value === 0) return '0';
  return `${unit > 0 && rest < 10 ? rest.toFixed(1) : Math.round(rest)} ${units[unit]}`;
}

/** How long something has been there, in its two largest units: `3 d 4 h`. Both are ISO 8601. */
export function age(since, now) {
  const seconds = Math.max(0, Math.floor((Date.parse(now) - Date.parse(since)) / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  const shown = first < 0 ? [[0, 's']] : parts.slice(first, first + 2).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ');
}

/** As the clocks of logs and charts are read. */
const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

/** The local time of an ISO 8601 text: of today to the second, of another day to the minute, and with the year where that is another one. */
export function moment(text) {
  if (text === null) return '–';
  const at = new Date(text);
  const now = new Date();
  if (at.toDateString() === now.toDateString())
    return at.toLocaleTimeString(undefined, { ...CLOCK, second: '2-digit' });
  const year = at.getFullYear() === now.getFullYear() ? {} : { year: 'numeric' };
  return at.toLocaleString(undefined, { ...year, month: 'short', day: 'numeric', ...CLOCK });
}

/** A rate in one second for an axis, where the title says what it is. */
export function perSecond(value) {
  return value > 0 && value < 10 ? String(Math.round(value * 10) / 10) : count(Math.round(value));
}

/** Differences of two looks by second: things are told apart by `keyOf`. */
export function ratesOf(entries, before, seconds, keyOf, names) {
  const earlier = new Map((before ?? []).map((entry) => [keyOf(entry), entry]));
  return entries.map((entry) => {
    const past = earlier.get(keyOf(entry));
    const rates = names.map((name) => [
      `${name}_rate`,
      past && seconds > 0 ? Math.max(0, entry[name] - past[name]) / seconds : undefined,
    ]);
    // What the node says of a rate goes before: it has put the things in that order.
    return { ...Object.fromEntries(rates), ...entry };
  });
}
