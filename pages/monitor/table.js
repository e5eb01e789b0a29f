/** Tables that are lists of cards on a phone: each cell knows the name of its column. */
import { h } from 'preact';

/**
 * `columns` are `{name, of, sort, isNumber}`; `of` makes the content of a cell. A column with `sort` is a button that puts the list in
 * that order; the node does it, not the page.
 */
export function Table({ columns, entries, keyOf, sort, onSort, none }) {
  if (entries.length === 0) return h('p', { class: 'none' }, none);
  const heading = ({ name, sort: by, isNumber }) =>
    h(
      'th',
      {
        scope: 'col',
        class: isNumber ? 'number' : '',
        'aria-sort': by !== undefined && by === sort ? 'other' : undefined,
      },
      by === undefined
        ? name
        : h('button', { type: 'button', class: by === sort ? 'chosen' : '', onClick: () => onSort(by) }, name),
    );
  const cell = ({ name, of, isNumber, isAction }, entry) =>
    h(
      'td',
      { key: name, class: [isNumber ? 'number' : '', isAction ? 'action' : ''].join(' ').trim(), 'data-name': name },
      of(entry),
    );
  return h(
    'div',
    { class: 'table' },
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
  return h(
    'div',
    { class: 'pager' },
    h('button', { type: 'button', disabled: page === 0, onClick: onBack }, '‹ Back'),
    h(
      'span',
      {},
      `${first.toLocaleString('en')}–${(first + shown - 1).toLocaleString('en')} of ${total.toLocaleString('en')}`,
    ),
    h('button', { type: 'button', disabled: !hasMore, onClick: onForth }, 'More ›'),
  );
}
