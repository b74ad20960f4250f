// Cards of demonstrations. Texts go in and out through .value and textContent only; every change keeps one undo step.
const PAUSE_MS = 600;
const make = (tag, className = '', text = '') => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};
const root = element.querySelector('.lab-demos');
const setting = { labels: [], input_name: 'Input', output_name: 'Output', max_items: 16, ...(props.first ?? {}) };
const list = make('ol', 'lab-demo-cards');
list.setAttribute('aria-label', props.label || 'Demonstrations');
const bar = make('div', 'lab-demo-bar'), live = make('p', 'lab-sr'), none = make('p', 'lab-demo-none');
none.textContent = 'No demonstrations: the model is asked zero-shot.';
live.setAttribute('aria-live', 'polite');
const button = (className, text, label, onClick) => {
  const node = make('button', className, text);
  node.type = 'button';
  if (label) { node.setAttribute('aria-label', label); node.title = label; }
  node.addEventListener('click', onClick);
  return node;
};
let items = [], before = null, timer = 0, fresh = 0, dragged = null;
const copy = (rows) => rows.map((row) => ({ ...row }));
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

const add = button('lab-button', '+ Add demonstration', '', () => {
  fresh += 1;
  const output = setting.labels[0] ?? '';
  const id = `new-${Date.now().toString(36)}-${fresh}`;
  change([...items, { id, input: '', output }], `Demonstration ${items.length + 1} added`);
  list.lastElementChild?.querySelector('textarea')?.focus();
});
const undo = button('lab-button', '↶ Undo', 'Undo the last change', () => {
  if (!before) return;
  const back = before;
  change(back, 'Last change undone');
});
const counter = make('span', 'lab-demo-count');
bar.append(add, undo, counter);
root.append(list, none, bar, live);

const send = () => {
  props.value = { ...setting, items: copy(items) };
  trigger('input');
};
const change = (rows, words, redraw = true) => {
  clearTimeout(timer);
  typed = null;
  before = copy(items);
  items = rows;
  if (words) live.textContent = words;
  if (redraw) draw();
  else status();
  send();
};
// Typing is one change however many keys it takes: it counts after a pause or when the field is left.
let typed = null;
const type = (place, field, text) => {
  typed ??= copy(items);
  items[place] = { ...items[place], [field]: text };
  clearTimeout(timer);
  timer = setTimeout(() => settle(), PAUSE_MS);
};
// Before another change nothing is sent: gradio may drop a second event while the first is on its way.
const settle = (isFollowed) => {
  clearTimeout(timer);
  if (!typed) return;
  const start = typed;
  typed = null;
  if (same(start, items)) return;
  before = start;
  status();
  if (isFollowed !== true) send();
};
const move = (from, to, focus) => {
  if (to < 0 || to >= items.length || from === to) return;
  settle(true);
  const rows = copy(items), [row] = rows.splice(from, 1);
  rows.splice(to, 0, row);
  change(rows, `Demonstration moved to place ${to + 1} of ${rows.length}`);
  const card = list.children[to];
  (card?.querySelector(`[data-role="${focus}"]:not(:disabled)`) ?? card)?.focus();
};
const remove = (place) => {
  settle(true);
  change(items.filter((_, i) => i !== place), `Demonstration ${place + 1} removed; Undo brings it back`);
  (list.children[Math.min(place, items.length - 1)] ?? add).focus();
};

const grow = (area) => {
  area.style.height = 'auto';
  if (area.scrollHeight) area.style.height = `${Math.min(area.scrollHeight + 2, 240)}px`;
};
const field = (name, place, key, role) => {
  const wrap = make('label', `lab-field lab-demo-${key}`);
  wrap.append(make('span', '', name));
  const hasLabels = key === 'output' && setting.labels.length > 0;
  const input = make(hasLabels ? 'select' : 'textarea');
  const value = items[place][key];
  if (hasLabels) {
    const known = setting.labels.includes(value) ? setting.labels : [value, ...setting.labels];
    for (const label of known) {
      const option = make('option', '', label || 'choose…');
      option.value = label;
      input.append(option);
    }
  } else {
    input.rows = 1;
    input.dir = 'auto';
    input.maxLength = 20000;
  }
  input.value = value;
  input.dataset.role = role;
  input.setAttribute('aria-label', `${name} of demonstration ${place + 1}`);
  if (hasLabels) {
    input.addEventListener('change', () => {
      settle(true);
      change(items.map((row, i) => (i === place ? { ...row, output: input.value } : row)), '', false);
    });
  } else {
    input.addEventListener('input', () => { grow(input); type(place, key, input.value); });
    input.addEventListener('blur', () => settle());
    requestAnimationFrame(() => grow(input));
  }
  wrap.append(input);
  return wrap;
};

const drawCard = (place) => {
  const card = make('li', 'lab-demo-card');
  card.tabIndex = -1;
  card.setAttribute('aria-label', `Demonstration ${place + 1} of ${items.length}`);
  const handle = make('span', 'lab-demo-handle', '⠿');
  handle.title = 'Drag to reorder, or press Alt with an arrow key';
  handle.setAttribute('aria-hidden', 'true');
  handle.addEventListener('pointerdown', () => { card.draggable = true; });
  handle.addEventListener('pointerup', () => { card.draggable = false; });
  const fields = make('div', 'lab-demo-fields'), tools = make('div', 'lab-demo-tools');
  fields.append(
    field(setting.input_name, place, 'input', 'input'), field(setting.output_name, place, 'output', 'output'),
  );
  const n = place + 1;
  const up = button('lab-icon', '↑', `Move demonstration ${n} up`, () => move(place, place - 1, 'up'));
  const down = button('lab-icon', '↓', `Move demonstration ${n} down`, () => move(place, place + 1, 'down'));
  up.dataset.role = 'up';
  down.dataset.role = 'down';
  up.disabled = place === 0;
  down.disabled = place === items.length - 1;
  tools.append(up, down, button('lab-icon lab-danger', '✕', `Remove demonstration ${n}`, () => remove(place)));
  const left = make('div', 'lab-demo-left');
  left.append(make('b', 'lab-badge', String(n)), handle);
  card.append(left, fields, tools);
  card.addEventListener('keydown', (event) => {
    if (!event.altKey || !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
    event.preventDefault();
    move(place, place + (event.key === 'ArrowUp' ? -1 : 1), event.target.dataset?.role ?? '');
  });
  card.addEventListener('dragstart', (event) => {
    settle();
    dragged = place;
    card.classList.add('lab-dragged');
    event.dataTransfer.effectAllowed = 'move';
    event.dataTransfer.setData('text/plain', String(n));
  });
  card.addEventListener('dragend', () => { dragged = null; draw(); });
  card.addEventListener('dragover', (event) => {
    if (dragged === null) return;
    event.preventDefault();
    const box = card.getBoundingClientRect(), isBelow = event.clientY > box.top + box.height / 2;
    for (const each of list.children) each.classList.remove('lab-drop-above', 'lab-drop-below');
    card.classList.add(isBelow ? 'lab-drop-below' : 'lab-drop-above');
  });
  card.addEventListener('drop', (event) => {
    if (dragged === null) return;
    event.preventDefault();
    const box = card.getBoundingClientRect(), isBelow = event.clientY > box.top + box.height / 2;
    let to = place + (isBelow ? 1 : 0);
    if (dragged < to) to -= 1;
    const from = dragged;
    dragged = null;
    move(from, to, '');
  });
  return card;
};
const status = () => {
  undo.disabled = !before;
  add.disabled = items.length >= setting.max_items;
  counter.textContent = `${items.length} of at most ${setting.max_items}`;
  none.hidden = items.length > 0;
};
const draw = () => {
  list.replaceChildren(...items.map((_, place) => drawCard(place)));
  status();
};
const read = () => {
  const value = props.value || { items: [] };
  for (const name of ['labels', 'input_name', 'output_name']) if (value[name] !== undefined) setting[name] = value[name];
  const next = copy(value.items ?? []);
  if (items.length && !same(next, items)) before = copy(items);
  items = next;
  typed = null;
  draw();
};
watch('value', read);
read();
