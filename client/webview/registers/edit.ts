import { h } from '../common/dom.ts';
import { problemOfU64 } from '../common/format.ts';

/** A register's input and what becomes of it. */
export interface EditOptions {
  /** Register: `r1`. */
  readonly name: string;
  /** Text to begin with. */
  readonly value: string;
  /** Sets the value; resolves to what is wrong with it, or to nothing. */
  commit(value: string): Promise<string | undefined>;
  /** The input is gone, with or without a new value. */
  done(): void;
}

/**
 * An input in place of a value: Enter sets, Escape and leaving it give up, a mistake is told below it and
 * leaves it open.
 */
export function editValue(cell: HTMLElement, options: EditOptions): void {
  const errorId = `error-${options.name}`;
  const input = h('input', {
    type: 'text',
    value: options.value,
    spellcheck: 'false',
    autocomplete: 'off',
    'aria-label': `New value of ${options.name}`,
  });
  const error = h('div', { class: 'error', id: errorId, role: 'alert' });
  error.hidden = true;
  let busy = false;
  let over = false;

  function show(problem: string | undefined): void {
    error.hidden = problem === undefined;
    error.textContent = problem ?? '';
    input.setAttribute('aria-invalid', String(problem !== undefined));
    if (problem === undefined) input.removeAttribute('aria-describedby');
    else {
      input.setAttribute('aria-describedby', errorId);
      error.scrollIntoView({ block: 'nearest' });
    }
  }

  function finish(): void {
    if (over) return;
    over = true;
    options.done();
  }

  async function commit(): Promise<void> {
    const problem = problemOfU64(input.value);
    if (problem !== undefined) return show(problem);
    if (input.value.trim() === options.value) return finish();
    busy = true;
    input.readOnly = true;
    const refused = await options.commit(input.value.trim());
    busy = false;
    input.readOnly = false;
    if (refused === undefined) return finish();
    show(refused);
    input.focus();
  }

  input.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key === 'Enter') void commit();
    else if (event.key === 'Escape') finish();
    else return;
    event.preventDefault();
  });
  input.addEventListener('input', () =>
    show(input.value.trim() === '' ? undefined : problemOfU64(input.value)),
  );
  input.addEventListener('blur', () => {
    if (!busy) finish();
  });
  input.addEventListener('dblclick', (event) => event.stopPropagation());

  cell.replaceChildren(input);
  cell.closest('.row')?.classList.add('editing');
  cell.closest('.row')?.append(error);
  input.focus();
  input.select();
}
