/** Tables that are lists of cards on a phone: each cell knows the name of its column. */
import { h } from 'preact';

/**
 * `columns` are `{name, of, sort, title, isNumber, isWide, isAction}`; `of` makes the content of a cell. A column with `sort` is a
 * button that puts the list in that order, or turns the order around; the node does it, not the page. `isWide`: on a phone the cell
 * has a line of its own. `title` says what it is a table of. `isLong`: the table scrolls by itself, below its headings.
 */
export function Table({ columns, entries, keyOf, order, onSort, none, title, isLong = false }) {
  if (entries.length === 0) return h('p', { class: 'none' }, none);
  const heading = ({ name, title, sort: by, isNumber, isAction }) => {
    const isChosen = by !== undefined && by === order?.sort;
    const way = order?.descending ? 'descending' : 'ascending';
    const kinds = [isNumber && 'number', isAction && 'action'].filter(Boolean);
    return h(
      'th',
      { scope: 'col', title, class: kinds.join(' '), 'aria-sort': isChosen ? way : undefined },
      by === undefined
        ? name
        : h('button', { type: 'button', class: isChosen ? `chosen ${way}` : '', onClick: () => onSort(by) }, name),
    );
  };
  const cell = ({ name, of, isNumber, isWide, isAction }, entry) => {
    const kinds = [isNumber && 'number', isWide && 'wide', isAction && 'action'].filter(Boolean);
    return h('td', { key: name, class: kinds.join(' '), 'data-name': name }, of(entry));
  };
  return h(
    'div',
    // What scrolls can be scrolled by keys.
    isLong ? { class: 'table long', tabIndex: 0, role: 'region', 'aria-label': title } : { class: 'table' },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, columns.map(heading))),
      h(
        'tbody',
        {},
        entries.map((entry) =>
          h(
            'tr',
            { key: keyOf(entry) },
            columns.map((column) => cell(column, entry)),
          ),
        ),
      ),
    ),
  );
}

/** Forth and back through pages of a hundred. */
export function Pager({ total, shown, page, hasMore, onBack, onForth }) {
  if (total === 0) return null;
  const first = page * 100 + 1;
  const isAlone = page === 0 && !hasMore;
  return h(
    'div',
    { class: 'pager' },
    !isAlone && h('button', { type: 'button', disabled: page === 0, onClick: onBack }, '‹ Back'),
    h(
      'span',
      {},
      `${first.toLocaleString('en')}–${(first + shown - 1).toLocaleString('en')} of ${total.toLocaleString('en')}`,
    ),
    !isAlone && h('button', { type: 'button', disabled: !hasMore, onClick: onForth }, 'More ›'),
  );
}
