// The flip matrix: only the rows in view are in the page; everything a person wrote goes through textContent.
const ROW = 34, OVERSCAN = 8, RIGHT_FROM = 0.5;
const ALL = 'all', ANY = 'any', FILE = 'file', UNSTABLE = 'unstable';
const FILTERS = [
  ['all', 'All queries'], ['flip', 'Any flip'], ['right→wrong', 'Right → wrong'], ['wrong→right', 'Wrong → right'],
  ['wrong→other wrong', 'Wrong → other wrong'], ['tie', 'Near-ties'],
];
const make = (tag, className = '', text = '') => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};
const root = element.querySelector('.lab-matrix');
const data = { columns: [], titles: [], reference: '', rows: [] };
const view = { reference: '', layout: ANY, filter: ALL, sort: UNSTABLE, reverse: false, at: null };
let shown = [], widths = { first: 200, cell: 60 }, order = [], drawn = [-1, -1];

// ---- what a cell means ------------------------------------------------------------------------------------------
const said = (cell) => cell[4] ?? cell[0];
const state = (cell) => (!cell ? 'none' : cell[1] >= RIGHT_FROM ? 'right' : cell[0] === '' ? 'unparsed' : 'wrong');
const kindOf = (from, to) => {
  if (!from || !to) return 'same';
  const a = from[1] >= RIGHT_FROM, b = to[1] >= RIGHT_FROM;
  if (a !== b) return a ? 'right→wrong' : 'wrong→right';
  if (said(from) === said(to)) return 'same';
  return a ? 'right→other right' : 'wrong→other wrong';
};
const SIGNS = { right: '✓', wrong: '✗', unparsed: '?', none: '·' };
const instability = (row) => {
  const counts = new Map();
  let n = 0;
  for (const cell of row.cells) {
    if (!cell) continue;
    n += 1;
    counts.set(said(cell), (counts.get(said(cell)) ?? 0) + 1);
  }
  return n ? 1 - Math.max(...counts.values()) / n : 0;
};
const describe = (row, column) => {
  const cell = row.cells[column], layout = data.columns[column];
  if (!cell) return `${layout}: not answered yet`;
  const words = [`${layout}: ${cell[0] || 'nothing readable'}, ${state(cell)}`];
  const kind = kindOf(row.cells[data.columns.indexOf(view.reference)], cell);
  if (kind !== 'same') words.push(`${kind} against ${view.reference}`);
  if (cell[2] !== null) words.push(`margin ${cell[2].toFixed(2)} nats`);
  if (cell[3]) words.push('a near-tie');
  return words.join(', ');
};

// ---- the frame: toolbar, grid, legend, one line about the cell in focus -------------------------------------------
const toolbar = make('div', 'lab-matrix-tools');
const picker = (label, name) => {
  const wrap = make('label', 'lab-field'), select = make('select');
  wrap.append(make('span', '', label), select);
  select.setAttribute('aria-label', label);
  select.addEventListener('change', () => { view[name] = select.value; view.reverse = false; refresh(true); });
  toolbar.append(wrap);
  return select;
};
const pickFilter = picker('Show', 'filter'), pickLayout = picker('In', 'layout');
const pickReference = picker('Against', 'reference'), pickSort = picker('Sort by', 'sort');
const count = make('p', 'lab-matrix-count');
count.setAttribute('role', 'status');
const box = make('div', 'lab-matrix-box'), table = make('table', 'lab-grid');
table.setAttribute('role', 'grid');
const columns = make('colgroup'), head = make('thead'), body = make('tbody');
table.append(columns, head, body);
box.append(table);
const empty = make('p', 'lab-matrix-empty');
const detail = make('p', 'lab-matrix-detail');
const legend = make('ul', 'lab-matrix-legend');
legend.setAttribute('aria-label', 'Key to the cells');
for (const [classes, sign, text] of [
  ['lab-right', '✓', 'right'], ['lab-wrong', '✗', 'wrong'], ['lab-unparsed', '?', 'unreadable'],
  ['lab-right lab-flip', '✓', 'flipped'], ['lab-wrong lab-flip lab-other', '✗', 'other label, still wrong'],
  ['lab-right lab-tie', '✓', 'near-tie'],
]) {
  const item = make('li'), key = make('span', `lab-cell lab-key ${classes}`);
  key.append(make('span', 'lab-sign', sign));
  key.setAttribute('aria-hidden', 'true');
  item.append(key, make('span', '', text));
  legend.append(item);
}
root.append(toolbar, count, box, empty, detail, legend);

const fill = (select, options, value) => {
  select.replaceChildren(...options.map(([key, text]) => {
    const option = make('option', '', text);
    option.value = key;
    return option;
  }));
  select.value = options.some(([key]) => key === value) ? value : options[0]?.[0] ?? '';
  return select.value;
};

// ---- rows that are shown, in their order ---------------------------------------------------------------------------
const cellsAsked = (row) => {
  const reference = data.columns.indexOf(view.reference);
  const asked = view.layout === ANY ? row.cells.map((_, i) => i) : [data.columns.indexOf(view.layout)];
  return { from: row.cells[reference], cells: asked.filter((i) => i >= 0).map((i) => row.cells[i]) };
};
const passes = (row, filter) => {
  if (filter === ALL) return true;
  const { from, cells } = cellsAsked(row);
  if (filter === 'tie') return cells.some((cell) => cell?.[3]);
  return cells.some((cell) => (filter === 'flip' ? kindOf(from, cell) !== 'same' : kindOf(from, cell) === filter));
};
const RANK = { wrong: 0, unparsed: 1, right: 2, none: 3 };
const sorted = (rows) => {
  const column = data.columns.indexOf(view.sort);
  let keys = rows.map((row) => [row.place]);
  if (view.sort === UNSTABLE) keys = rows.map((row) => [-row.instability, row.place]);
  else if (column >= 0) {
    keys = rows.map((row) => {
      const cell = row.cells[column];
      return [RANK[state(cell)], cell ? said(cell) : '', row.place];
    });
  }
  const compare = (a, b) => {
    for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
    return 0;
  };
  const places = rows.map((_, i) => i).sort((a, b) => compare(keys[a], keys[b]));
  if (view.reverse) places.reverse();
  return places.map((i) => rows[i]);
};

const nameColumns = () => {
  // Names leave out what they share: 24 orders of one slot are told apart by the order, counted from 1.
  const orders = data.columns.map((id) => id.split('@')), slots = new Set(orders.map(([slot]) => slot));
  const counted = (places) => {
    const numbers = places.split('-').map((place) => Number(place) + 1);
    return numbers.join(numbers.length > 9 ? ' ' : '');
  };
  order = orders.map(([slot, places], i) => (places && slots.size <= 2 ? counted(places) : data.columns[i]));
};

const measure = () => {
  const width = Math.max(box.clientWidth, 280), n = Math.max(data.columns.length, 1);
  const first = width < 520 ? 132 : Math.min(Math.max(width * 0.34, 200), 420);
  const cell = Math.min(Math.max((width - first) / n, width < 520 ? 62 : 52), 190);
  widths = { first: Math.round(Math.max(first, Math.min(width - cell * n, 460))), cell: Math.floor(cell) };
};

const drawHead = () => {
  columns.replaceChildren(make('col'), ...data.columns.map(() => make('col')));
  columns.firstChild.style.width = `${widths.first}px`;
  for (const col of [...columns.children].slice(1)) col.style.width = `${widths.cell}px`;
  table.style.width = `${widths.first + widths.cell * data.columns.length}px`;
  const row = make('tr');
  const corner = make('th', 'lab-corner', 'Query');
  corner.scope = 'col';
  row.append(corner);
  data.columns.forEach((layout, column) => {
    const th = make('th'), button = make('button', 'lab-head');
    const answered = data.rows.map((each) => each.cells[column]).filter(Boolean);
    const share = answered.reduce((sum, cell) => sum + cell[1], 0) / Math.max(answered.length, 1);
    th.scope = 'col';
    const isSorted = view.sort === layout;
    th.setAttribute('aria-sort', isSorted ? (view.reverse ? 'descending' : 'ascending') : 'none');
    th.classList.toggle('lab-reference', layout === view.reference);
    button.type = 'button';
    const role = layout === view.reference ? ', the reference' : '';
    button.title = `${data.titles[column]}${role}; sort by this layout`;
    button.append(make('span', 'lab-head-name', order[column] + (isSorted ? (view.reverse ? ' ↓' : ' ↑') : '')));
    const note = answered.length ? `${Math.round(100 * share)} %` : '–';
    button.append(make('span', 'lab-head-note', layout === view.reference && widths.cell >= 84 ? `${note} · ref` : note));
    button.addEventListener('click', () => {
      view.reverse = view.sort === layout && !view.reverse;
      view.sort = layout;
      pickSort.value = layout;
      refresh(false);
    });
    th.append(button);
    row.append(th);
  });
  head.replaceChildren(row);
  table.setAttribute('aria-colcount', String(data.columns.length + 1));
};

const drawCell = (row, column) => {
  const cell = row.cells[column], td = make('td'), button = make('div', `lab-cell lab-${state(cell)}`);
  const kind = kindOf(row.cells[data.columns.indexOf(view.reference)], cell);
  td.setAttribute('role', 'gridcell');
  if (kind !== 'same') button.classList.add('lab-flip');
  if (kind === 'wrong→other wrong') button.classList.add('lab-other');
  if (cell?.[3]) button.classList.add('lab-tie');
  button.append(make('span', 'lab-sign', SIGNS[state(cell)]));
  if (cell && widths.cell >= 78) button.append(make('bdi', 'lab-text', cell[0]));
  td.setAttribute('aria-label', describe(row, column));
  td.dataset.column = column;
  td.tabIndex = -1;
  td.append(button);
  return td;
};
const drawRow = (row, place) => {
  const tr = make('tr'), th = make('th', 'lab-row-head');
  th.scope = 'row';
  th.title = row.gold ? `${row.text}\n\nRight answer: ${row.gold}` : row.text;
  th.append(make('bdi', 'lab-query-text', row.text));
  if (row.gold) th.append(make('bdi', 'lab-gold', row.gold));
  tr.append(th, ...row.cells.map((_, column) => drawCell(row, column)));
  tr.dataset.place = place;
  tr.setAttribute('aria-rowindex', String(place + 2));
  return tr;
};
const spacer = (n) => {
  const tr = make('tr', 'lab-spacer');
  tr.setAttribute('aria-hidden', 'true');
  tr.style.height = `${n * ROW}px`;
  return tr;
};
const cellAt = (place, column) => body.querySelector(`tr[data-place="${place}"] td[data-column="${column}"]`);

const draw = (force) => {
  const first = Math.max(0, Math.floor(box.scrollTop / ROW) - OVERSCAN);
  const last = Math.min(shown.length, first + Math.ceil((box.clientHeight || 500) / ROW) + 2 * OVERSCAN);
  if (!force && first === drawn[0] && last === drawn[1]) return;
  drawn = [first, last];
  const hadFocus = body.contains(document.activeElement);
  const rows = shown.slice(first, last).map((row, i) => drawRow(row, first + i));
  body.replaceChildren(spacer(first), ...rows, spacer(shown.length - last));
  mark(hadFocus);
};
// One cell takes the Tab key: the one last used, else the first.
const mark = (focus) => {
  const place = view.at ? shown.findIndex((row) => row.id === view.at.id) : -1;
  const column = view.at ? data.columns.indexOf(view.at.layout) : -1;
  const cell = cellAt(place, column);
  (cell ?? body.querySelector('td[data-column]'))?.setAttribute('tabindex', '0');
  cell?.classList.add('lab-at');
  if (focus) cell?.focus({ preventScroll: true });
};

const refresh = (fromTop) => {
  const before = box.scrollTop;
  const names = data.columns.map((layout, i) => [layout, order[i] === layout ? layout : `order ${order[i]}`]);
  view.reference = fill(pickReference, names, view.reference || data.reference);
  view.layout = fill(pickLayout, [[ANY, 'any layout'], ...names], view.layout);
  const counted = FILTERS.map(([key, text]) => [key, `${text} (${data.rows.filter((row) => passes(row, key)).length})`]);
  view.filter = fill(pickFilter, counted, view.filter);
  view.sort = fill(pickSort, [[UNSTABLE, 'instability'], [FILE, 'order of the file'], ...names], view.sort);
  shown = sorted(data.rows.filter((row) => passes(row, view.filter)));
  measure();
  drawHead();
  const cut = shown.length === data.rows.length ? '' : ` of ${data.rows.length}`;
  count.textContent = data.rows.length ? `${shown.length}${cut} queries. Click a cell to see what is behind it.` : '';
  empty.textContent = !data.rows.length
    ? 'No answers yet. They appear here one by one while a run goes on.'
    : shown.length ? '' : 'No query matches. Choose “All queries”, or another layout.';
  empty.hidden = shown.length > 0;
  box.hidden = legend.hidden = shown.length === 0;
  toolbar.hidden = !data.rows.length;
  table.setAttribute('aria-rowcount', String(shown.length + 1));
  table.setAttribute('aria-label', props.label || 'Answers by query and layout');
  draw(true);
  box.scrollTop = fromTop ? 0 : before;
  draw(false);
};

const read = () => {
  const value = props.value ? JSON.parse(props.value) : { columns: [], titles: [], reference: '', rows: [] };
  if (value.reference !== data.reference) view.reference = value.reference;
  Object.assign(data, value);
  nameColumns();
  data.rows = value.rows.map(([id, text, gold, cells], place) => {
    const row = { id, text, gold, cells, place };
    row.instability = instability(row);
    return row;
  });
  refresh(false);
};

// ---- moving and choosing ------------------------------------------------------------------------------------------
const tell = (td) => {
  const row = shown[td?.parentElement?.dataset.place];
  if (!row) return;
  const gold = row.gold ? ` (right: ${row.gold})` : '';
  detail.replaceChildren(make('b', '', describe(row, Number(td.dataset.column))), make('bdi', '', ` ${row.text}${gold}`));
};
const go = (place, column) => {
  if (!shown.length) return;
  place = Math.min(Math.max(place, 0), shown.length - 1);
  column = Math.min(Math.max(column, 0), data.columns.length - 1);
  view.at = { id: shown[place].id, layout: data.columns[column] };
  const top = place * ROW, visible = box.clientHeight - head.offsetHeight - 18;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW > box.scrollTop + visible) box.scrollTop = top + ROW - visible;
  const left = column * widths.cell, wide = box.clientWidth - widths.first;
  if (left < box.scrollLeft) box.scrollLeft = left;
  else if (left + widths.cell > box.scrollLeft + wide) box.scrollLeft = left + widths.cell - wide;
  draw(false);
  body.querySelectorAll('[tabindex="0"], .lab-at').forEach((td) => { td.tabIndex = -1; td.classList.remove('lab-at'); });
  mark(true);
};
const choose = (td) => {
  const row = shown[td.parentElement.dataset.place];
  trigger('select', { query_id: row.id, layout: data.columns[td.dataset.column], reference: view.reference });
};
body.addEventListener('click', (event) => {
  const td = event.target.closest('td[data-column]');
  if (!td) return;
  go(Number(td.parentElement.dataset.place), Number(td.dataset.column));
  choose(td);
});
body.addEventListener('mouseover', (event) => tell(event.target.closest('td[data-column]')));
body.addEventListener('focusin', (event) => tell(event.target.closest('td[data-column]')));
body.addEventListener('keydown', (event) => {
  const td = event.target.closest('td[data-column]');
  if (!td || event.altKey || event.ctrlKey || event.metaKey) return;
  const place = Number(td.parentElement.dataset.place), column = Number(td.dataset.column);
  const page = Math.max(1, Math.floor(box.clientHeight / ROW) - 2);
  const moves = {
    ArrowUp: [place - 1, column], ArrowDown: [place + 1, column], ArrowLeft: [place, column - 1],
    ArrowRight: [place, column + 1], Home: [place, 0], End: [place, data.columns.length - 1],
    PageUp: [place - page, column], PageDown: [place + page, column],
  };
  if (event.key === 'Enter' || event.key === ' ') choose(td);
  else if (moves[event.key]) go(...moves[event.key]);
  else return;
  event.preventDefault();
});
let queued = false;
box.addEventListener('scroll', () => {
  if (queued) return;
  queued = true;
  requestAnimationFrame(() => { queued = false; draw(false); });
}, { passive: true });
let lastWidth = 0;
new ResizeObserver(() => {
  if (Math.abs(root.clientWidth - lastWidth) < 2) return;
  lastWidth = root.clientWidth;
  refresh(false);
}).observe(root);
watch('value', read);
read();
