// A picture to mark. One byte a pixel holds its label; labels go in and out as runs (label, length, …), row by row.
const SHOWN = 384, MAX_UNDO = 20;
const COLOURS = [[213, 94, 0], [0, 114, 178], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233]];
const make = (tag, className = '', text = '') => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};
const root = element.querySelector('.lab-paint');
const labels = props.labels ?? ['mask'];
let width = 64, height = 64, marks = new Uint8Array(64 * 64), past = [];
let label = 1, isErasing = false, size = 14, x = 32, y = 32, last = null, isShown = false, frame = 0;
const image = new Image(), layer = document.createElement('canvas');
const canvas = make('canvas', 'lab-paint-canvas'), pen = canvas.getContext('2d');
const live = make('p', 'lab-sr'), count = make('span', 'lab-demo-count');
live.setAttribute('aria-live', 'polite');
canvas.tabIndex = 0;
canvas.setAttribute('role', 'application');
canvas.setAttribute(
  'aria-label',
  `${props.label}. Arrow keys move the brush, with Shift by one pixel; space marks; E changes to the eraser and back; Ctrl+Z undoes.`,
);

const button = (text, words, onClick) => {
  const node = make('button', 'lab-button', text);
  node.type = 'button';
  node.title = words;
  node.addEventListener('click', onClick);
  return node;
};
const brush = button('Brush', 'Mark what you paint', () => choose(false));
const eraser = button('Eraser', 'Take marks away', () => choose(true));
const undo = button('↶ Undo', 'Undo the last change', () => back());
const clear = button('Clear', 'Take all marks away', () => edit(() => marks.fill(0), 'All marks taken away'));
const choose = (erase) => {
  isErasing = erase;
  status();
  live.textContent = erase ? 'Eraser' : 'Brush';
};
const slider = make('input');
Object.assign(slider, { type: 'range', min: 1, max: 50, value: size });
slider.setAttribute('aria-label', 'Size of the brush, percent of the side');
slider.addEventListener('input', () => { size = Number(slider.value); draw(); });
const sized = make('label', 'lab-paint-size');
sized.append(make('span', '', 'Size'), slider);
const bar = make('div', 'lab-paint-bar');
bar.append(brush, eraser, sized, undo, clear);
if (labels.length > 1) {
  const choice = make('select');
  choice.setAttribute('aria-label', 'What the brush marks');
  labels.forEach((name, i) => choice.append(new Option(name, String(i + 1))));
  choice.addEventListener('change', () => { label = Number(choice.value); choose(false); draw(); });
  bar.prepend(choice);
}

// Shapes by numbers: the way for those who cannot or would rather not paint.
const numbers = make('details', 'lab-paint-numbers');
const fields = {};
const shape = make('select');
shape.setAttribute('aria-label', 'Shape');
for (const name of ['rectangle', 'ellipse']) shape.append(new Option(name, name));
const grid = make('div', 'lab-paint-grid');
grid.append(shape);
for (const [name, value] of [['Left', 12.5], ['Top', 12.5], ['Width', 75], ['Height', 75]]) {
  const wrap = make('label', 'lab-field'), input = make('input');
  Object.assign(input, { type: 'number', min: 0, max: 100, step: 0.5, value });
  input.setAttribute('aria-label', `${name}, percent of the side`);
  wrap.append(make('span', '', `${name} %`), input);
  fields[name] = input;
  grid.append(wrap);
}
const stamp = (value, words) => {
  const [left, top, w, h] = Object.values(fields).map((input) => Number(input.value));
  if (!(left >= 0 && top >= 0 && w > 0 && h > 0 && left + w <= 100 && top + h <= 100)) {
    live.textContent = told.textContent = 'Left and width, and top and height, must together lie within 0 and 100 %.';
    return;
  }
  told.textContent = '';
  edit(() => {
    for (let row = 0; row < height; row++) for (let column = 0; column < width; column++) {
      const u = ((column + 0.5) * 100 / width - left - w / 2) / (w / 2), v = ((row + 0.5) * 100 / height - top - h / 2) / (h / 2);
      const isIn = shape.value === 'ellipse' ? u * u + v * v <= 1 : Math.abs(u) <= 1 && Math.abs(v) <= 1;
      if (isIn) marks[row * width + column] = value;
    }
  }, words);
};
const told = make('p', 'lab-paint-told');
grid.append(
  button('Mark', 'Mark this shape', () => stamp(label, 'Shape marked')),
  button('Erase', 'Take this shape away', () => stamp(0, 'Shape taken away')),
);
numbers.append(make('summary', '', 'Shapes by numbers'), grid, told);
root.append(make('b', 'lab-paint-label', props.label), bar, canvas, count, numbers, live);

const edit = (change, words) => {
  past.push(marks.slice());
  if (past.length > MAX_UNDO) past.shift();
  change();
  live.textContent = words;
  status();
  draw();
  send();
};
const back = () => {
  if (!past.length) return;
  marks = past.pop();
  live.textContent = 'Last change undone';
  status();
  draw();
  send();
};
const write = () => {
  const runs = [];
  for (let start = 0; start < marks.length;) {
    let stop = start + 1;
    while (stop < marks.length && marks[stop] === marks[start]) stop++;
    runs.push(marks[start], stop - start);
    start = stop;
  }
  props.value = { ...props.value, width, height, runs };
};
const send = () => {
  write();
  trigger('input');
};

const radius = () => Math.max(0.5, (size / 200) * Math.max(width, height));
const disc = (cx, cy) => {
  const r = radius(), value = isErasing ? 0 : label;
  for (let row = Math.max(0, Math.floor(cy - r)); row <= Math.min(height - 1, cy + r); row++) {
    for (let column = Math.max(0, Math.floor(cx - r)); column <= Math.min(width - 1, cx + r); column++) {
      if ((column + 0.5 - cx) ** 2 + (row + 0.5 - cy) ** 2 <= r * r) marks[row * width + column] = value;
    }
  }
  // a brush smaller than a pixel still marks the one that it is on
  marks[Math.min(height - 1, Math.floor(cy)) * width + Math.min(width - 1, Math.floor(cx))] = value;
};
const stroke = (toX, toY) => {
  const [fromX, fromY] = last, n = Math.max(1, Math.ceil(Math.hypot(toX - fromX, toY - fromY) / Math.max(0.5, radius() / 2)));
  for (let i = 1; i <= n; i++) disc(fromX + ((toX - fromX) * i) / n, fromY + ((toY - fromY) * i) / n);
  last = [toX, toY];
};
const place = (event) => {
  const box = canvas.getBoundingClientRect();
  x = Math.min(width - 0.01, Math.max(0, ((event.clientX - box.left) / box.width) * width));
  y = Math.min(height - 0.01, Math.max(0, ((event.clientY - box.top) / box.height) * height));
};
canvas.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  past.push(marks.slice());
  if (past.length > MAX_UNDO) past.shift();
  place(event);
  last = [x, y];
  disc(x, y);
  draw();
});
canvas.addEventListener('pointermove', (event) => {
  place(event);
  isShown = true;
  if (last) stroke(x, y);
  draw();
});
const finish = () => {
  if (!last) return;
  last = null;
  status();
  send();
};
canvas.addEventListener('pointerup', finish);
canvas.addEventListener('pointercancel', finish);
canvas.addEventListener('pointerleave', () => { if (!last && document.activeElement !== canvas) { isShown = false; draw(); } });
canvas.addEventListener('focus', () => { isShown = true; draw(); });
canvas.addEventListener('blur', () => { isShown = false; draw(); });
canvas.addEventListener('keydown', (event) => {
  const step = event.shiftKey ? 1 : Math.max(1, Math.round(radius() / 2));
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
  if (moves) {
    x = Math.min(width - 0.5, Math.max(0.5, x + moves[0]));
    y = Math.min(height - 0.5, Math.max(0.5, y + moves[1]));
    live.textContent = `${Math.round((100 * x) / width)} % from the left, ${Math.round((100 * y) / height)} % from the top`;
    draw();
  } else if (event.key === ' ' || event.key === 'Enter') {
    if (event.ctrlKey || event.metaKey) return; // starts a run, as everywhere
    edit(() => disc(x, y), isErasing ? 'Taken away' : 'Marked');
  } else if (event.key === 'e' || event.key === 'E') choose(!isErasing);
  else if ((event.ctrlKey || event.metaKey) && event.key === 'z') back();
  else return;
  event.preventDefault();
});

const status = () => {
  brush.setAttribute('aria-pressed', String(!isErasing));
  eraser.setAttribute('aria-pressed', String(isErasing));
  undo.disabled = !past.length;
  const n = marks.reduce((sum, each) => sum + (each > 0), 0);
  clear.disabled = !n;
  count.textContent = n ? `${((100 * n) / marks.length).toFixed(n * 100 < marks.length ? 1 : 0)} % marked` : 'Nothing is marked';
};
const draw = () => {
  if (!frame) frame = requestAnimationFrame(paint);
};
const paint = () => {
  frame = 0;
  const scale = Math.max(1, Math.ceil(SHOWN / Math.max(width, height)));
  if (canvas.width !== width * scale || canvas.height !== height * scale) {
    canvas.width = width * scale;
    canvas.height = height * scale;
  }
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingEnabled = true;
  if (image.complete && image.naturalWidth) pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  layer.width = width;
  layer.height = height;
  const on = layer.getContext('2d'), pixels = on.createImageData(width, height);
  marks.forEach((each, i) => {
    if (!each) return;
    const column = i % width, isInside = marks[i - width] === each && marks[i + width] === each
      && column > 0 && marks[i - 1] === each && column < width - 1 && marks[i + 1] === each;
    pixels.data.set([...COLOURS[each - 1], isInside ? 150 : 255], 4 * i);
  });
  on.putImageData(pixels, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(layer, 0, 0, canvas.width, canvas.height);
  if (!isShown) return;
  for (const [colour, line] of [['#fff', 4], ['#111', 2]]) {
    pen.beginPath();
    pen.arc(x * scale, y * scale, radius() * scale, 0, 2 * Math.PI);
    pen.strokeStyle = colour;
    pen.lineWidth = line;
    pen.stroke();
  }
};
image.addEventListener('load', draw);

const read = () => {
  const value = props.value || {};
  if (value.width && (value.width !== width || value.height !== height)) {
    width = value.width;
    height = value.height;
    marks = new Uint8Array(width * height);
    past = [];
    x = width / 2;
    y = height / 2;
  }
  if (value.runs) {
    const next = new Uint8Array(width * height);
    let at = 0;
    for (let i = 0; i < value.runs.length; i += 2) {
      next.fill(value.runs[i], at, at + value.runs[i + 1]);
      at += value.runs[i + 1];
    }
    if (!next.every((each, i) => each === marks[i])) past = [];
    marks = next;
  } else if (marks.some((each) => each)) {
    write(); // a new picture under marks that stay: what Python reads must hold them
  }
  if (value.picture && image.src !== value.picture) image.src = value.picture;
  status();
  draw();
};
watch('value', read);
read();
