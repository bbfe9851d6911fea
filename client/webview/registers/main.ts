import type { RegisterRow, RegistersReply } from '#core/protocol/messages.ts';
import { choice } from '../common/choice.ts';
import { copyContext, copyFocusedRow, h } from '../common/dom.ts';
import { formatU64, type NumberFormat } from '../common/format.ts';
import { type Page, startPage } from '../common/host.ts';
import { rovingFocus } from '../common/roving.ts';
import { editValue } from './edit.ts';

interface Ui {
  readonly format: NumberFormat;
  /** The rewritten program is shown, which alone uses AX. */
  readonly ax: boolean;
}

type RegistersPage = Page<Ui>;

const formats = choice<NumberFormat>({
  label: 'Number format',
  values: [
    { value: 'hex', text: 'Hex', title: 'Hexadecimal' },
    { value: 'unsigned', text: 'Dec', title: 'Decimal, unsigned' },
    { value: 'signed', text: '±Dec', title: 'Decimal, signed' },
  ],
  onChoose: (format) => page.change({ format }),
});
const where = h('span', { class: 'where' });
const grid = h('div', { role: 'grid', 'aria-label': 'Registers', class: 'rows' });
const roving = rovingFocus(grid);

const page = startPage<'registers', Ui>({
  view: 'registers',
  ui: { format: 'hex', ax: false },
  render,
  onMessage(message, target) {
    if (message.kind === 'show-ax' && message.on !== target.ui.ax) target.change({ ax: message.on });
  },
});
page.main.prepend(h('div', { class: 'toolbar' }, formats.element, where), grid);
formats.set(page.ui.format);

grid.addEventListener('dblclick', (event) => beginEdit(event.target));
grid.addEventListener('keydown', (event) => {
  if (event.target instanceof HTMLInputElement || (event.key !== 'Enter' && event.key !== 'F2')) return;
  event.preventDefault();
  beginEdit(event.target);
});
copyFocusedRow();

function render(reply: RegistersReply, { ui }: RegistersPage): void {
  formats.set(ui.format);
  where.textContent = `${reply.frame.name} · insn ${reply.frame.pc}`;
  where.title = `Frame ${reply.frame.index}, ${reply.frame.name}, at instruction ${reply.frame.pc}`;
  const shown = reply.registers.filter((register) => register.name !== 'ax' || ui.ax);
  roving.redraw(() => grid.replaceChildren(...shown.map((register) => rowOf(register, ui.format))));
}

function rowOf(register: RegisterRow, format: NumberFormat): HTMLElement {
  const { name, role, value, changed, initialised, writable, bits } = register;
  // What an earlier function left in it means nothing to this one.
  const meaning = initialised ? register.meaning : undefined;
  const text = initialised ? formatU64(value, format, bits) : 'no value yet';
  const classes = ['row', changed && 'changed', !initialised && 'unset', name === 'ax' && 'hidden-register'];
  const spoken = [name, text, meaning, changed && 'changed', role].filter(Boolean).join(', ');
  const hint = `${name}: ${role}${writable ? '' : ' (cannot be set)'}`;
  return h(
    'div',
    {
      role: 'row',
      class: classes.filter(Boolean).join(' '),
      'data-name': name,
      'data-text': text,
      'data-vscode-context': copyContext({
        value: text,
        meaning,
        row: [name, text, meaning].filter(Boolean).join('\t'),
      }),
    },
    h('span', {
      class: 'mark',
      role: 'presentation',
      title: changed ? 'Changed since the last stop' : undefined,
    }),
    h('span', { class: 'name', role: 'rowheader', title: hint }, name),
    h(
      'div',
      { class: 'cells', role: 'presentation' },
      h(
        'span',
        {
          class: 'value',
          role: 'gridcell',
          'data-key': name,
          tabindex: -1,
          'aria-label': spoken,
          'aria-readonly': String(!writable),
          title: titleOf(register),
        },
        text,
      ),
      h('span', { class: 'meaning', role: 'gridcell', title: meaning }, meaning),
    ),
  );
}

/** All formats at once, for the mouse. */
function titleOf({ name, value, initialised, writable, bits }: RegisterRow): string {
  if (!initialised) return `No instruction has given ${name} a value yet`;
  const [hex, unsigned, signed] = (['hex', 'unsigned', 'signed'] as const).map((each) =>
    formatU64(value, each, bits),
  );
  const numbers = unsigned === signed ? [hex, unsigned] : [hex, unsigned, signed];
  return `${numbers.join('\n')}${writable ? '\nDouble-click, Enter or F2 to change' : ''}`;
}

function beginEdit(target: EventTarget | null): void {
  const row = (target as Element | null)?.closest<HTMLElement>('.row');
  const cell = row?.querySelector<HTMLElement>('.value');
  if (!row || !cell || cell.ariaReadOnly === 'true') return;
  const name = row.dataset.name ?? '';
  page.hold(true);
  editValue(cell, {
    name,
    value: row.classList.contains('unset') ? '' : (row.dataset.text ?? ''),
    commit: (value) => page.edit(name, value),
    done() {
      page.hold(false);
      roving.focus(name);
    },
  });
}
