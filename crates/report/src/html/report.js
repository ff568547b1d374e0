'use strict';
// Sorts tables, folds long ones, and filters findings. It only moves and hides elements of the page, and adds fixed text.

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const element = (tag, properties) => Object.assign(document.createElement(tag), properties);

// In the table of findings, an item is a table body with two rows; in other tables, it is a row.
const items = table => (table.tBodies.length > 1 ? [...table.tBodies] : [...table.tBodies[0].rows]);

for (const table of all('table[data-sortable]')) {
  for (const head of all('th[data-sort]', table)) {
    const button = element('button', {type: 'button'});
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => sort(table, head));
  }
}

function sort(table, head) {
  const turned = {ascending: 'descending', descending: 'ascending'};
  const direction = turned[head.getAttribute('aria-sort')] ?? head.dataset.sort;
  all('th', table.tHead).forEach(other => other.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', direction);
  const value = item => {
    const row = item.rows ? item.rows[0] : item;
    const cell = row.cells[head.cellIndex];
    return cell.dataset.value ?? cell.textContent.trim();
  };
  const sign = direction === 'ascending' ? 1 : -1;
  const sorted = items(table).map(item => [value(item), item]);
  sorted.sort(([a], [b]) => sign * a.localeCompare(b, 'en', {numeric: true}));
  const parent = sorted[0]?.[1].parentNode;
  sorted.forEach(([, item]) => parent.append(item));
  fold(table);
}

// Long tables show only their first rows until they are expanded.
function fold(table) {
  const most = table.classList.contains('open') ? Infinity : Number(table.dataset.fold ?? Infinity);
  items(table).forEach((item, index) => item.classList.toggle('folded', index >= most));
}

for (const table of all('table[data-fold]')) {
  const count = items(table).length;
  if (count <= Number(table.dataset.fold) + 2) {
    delete table.dataset.fold;
    continue;
  }
  const button = element('button', {type: 'button', className: 'unfold', textContent: `Show all ${count}`});
  button.setAttribute('aria-expanded', 'false');
  button.addEventListener('click', () => {
    const open = table.classList.toggle('open');
    button.textContent = open ? 'Show fewer' : `Show all ${count}`;
    button.setAttribute('aria-expanded', String(open));
    fold(table);
  });
  table.after(button);
  fold(table);
}

const form = document.getElementById('filter');
const findings = all('#findings-table > tbody').map(body => ({body, text: body.textContent.toLowerCase()}));

function filter() {
  const query = form.elements.query.value;
  const terms = [...query.toLowerCase().matchAll(/"([^"]*)"|\S+/g)].map(([term, phrase]) => phrase ?? term);
  const boxes = all('input[type=checkbox]', form);
  const severities = boxes.filter(box => box.checked).map(box => box.value);
  let shown = 0;
  for (const {body, text} of findings) {
    const fits = severities.includes(body.dataset.severity) && terms.every(term => text.includes(term));
    body.hidden = !fits;
    shown += fits;
  }
  form.querySelector('output').textContent =
    shown === findings.length ? `${shown} findings` : `${shown} of ${findings.length} findings`;
  document.getElementById('no-match').hidden = shown > 0;
  const state = new URLSearchParams();
  if (query) state.set('q', query);
  if (severities.length < boxes.length) state.set('severity', severities.join(','));
  return state.toString();
}

// The URL fragment contains the filter or the id of a finding, so that both can be shared.
function obey() {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.matches('#findings-table > tbody')) {
    if (target.hidden) set(new URLSearchParams());
    target.querySelector('details').open = true;
    target.scrollIntoView();
  } else if (target?.matches('details')) {
    target.open = true;
    target.scrollIntoView();
  } else if (form && /^#(q|severity)=/.test(location.hash)) {
    set(new URLSearchParams(location.hash.slice(1)));
    document.getElementById('findings').scrollIntoView();
  }
}

function set(state) {
  const severities = state.get('severity')?.split(',');
  form.elements.query.value = state.get('q') ?? '';
  all('input[type=checkbox]', form).forEach(box => (box.checked = severities?.includes(box.value) ?? true));
  filter();
}

if (form) {
  form.hidden = false;
  form.addEventListener('input', () => {
    const state = filter();
    history.replaceState(null, '', state ? `#${state}` : '#findings');
  });
  form.addEventListener('submit', event => event.preventDefault());
  filter();
}
addEventListener('hashchange', obey);
obey();

// Details are expanded for printing.
let closed = [];
addEventListener('beforeprint', () => {
  closed = all('details:not([open])');
  closed.forEach(details => (details.open = true));
});
addEventListener('afterprint', () => closed.forEach(details => (details.open = false)));
