// Who is here: people, and the tabs that each of them has open. No network and no page in here, only what was heard
// and when. A tab is named by its WAMP session id, so a tab that reconnects is a new one and the old one fades away.

const MAX_PEOPLE = 200;
const MAX_TABS = 50;

export class Roster {
  // public id -> Map(tab -> { heardAt: ms, sure: boolean }); Maps keep the order of arrival
  #people = new Map();

  /** Notes that a tab of a person gave a sign of life. @returns whether that tab is new here. */
  heard(person, tab, now) {
    const tabs = this.#people.get(person) ?? new Map();
    const isNew = !tabs.has(tab);
    if (isNew && (tabs.size >= MAX_TABS || (tabs.size === 0 && this.#people.size >= MAX_PEOPLE))) return false;
    tabs.set(tab, { heardAt: now, sure: true });
    this.#people.set(person, tabs);
    return isNew;
  }

  /** Forgets one tab, and its person with the last of them. */
  left(person, tab) {
    const tabs = this.#people.get(person);
    tabs?.delete(tab);
    if (tabs?.size === 0) this.#people.delete(person);
  }

  /** After a lost connection nothing is certain: whoever does not speak up before `dropUnsure` has gone. */
  doubtAll() {
    for (const tabs of this.#people.values()) for (const seen of tabs.values()) seen.sure = false;
  }

  dropUnsure() {
    for (const { person, tab, seen } of this.#all()) if (!seen.sure) this.left(person, tab);
  }

  /** @returns `{ person, tab }` of those not heard for `silentMs`. */
  silent(now, silentMs) {
    return this.#all().filter(({ seen }) => now - seen.heardAt > silentMs);
  }

  /** @returns the tabs of a person, the one heard last first: that is where the person most likely looks. */
  tabsOf(person) {
    const tabs = [...(this.#people.get(person) ?? [])];
    return tabs.sort(([, a], [, b]) => b.heardAt - a.heardAt).map(([tab]) => tab);
  }

  /** @returns `{ id, tabs }` for everybody, in order of arrival; `tabs` counts those we are sure of, if there are any. */
  people() {
    return [...this.#people].map(([id, tabs]) => {
      const sure = [...tabs.values()].filter((seen) => seen.sure).length;
      return { id, tabs: sure || tabs.size };
    });
  }

  #all() {
    return [...this.#people].flatMap(([person, tabs]) => [...tabs].map(([tab, seen]) => ({ person, tab, seen })));
  }
}
