import { h } from './dom.ts';

/** What a row of buttons offers. */
export interface ChoiceOptions<T extends string> {
  /** What is chosen, for screen readers. */
  readonly label: string;
  readonly values: readonly { readonly value: T; readonly text: string; readonly title: string }[];
  onChoose(value: T): void;
}

/** A row of buttons of which one is on: a radio group with one tab stop and arrow keys. */
export function choice<T extends string>(
  options: ChoiceOptions<T>,
): {
  readonly element: HTMLElement;
  set(value: T): void;
} {
  const buttons = options.values.map(({ value, text, title }) => {
    const button = h('button', { type: 'button', role: 'radio', title, 'data-value': value }, text);
    button.addEventListener('click', () => options.onChoose(value));
    return button;
  });
  const element = h('div', { class: 'choice', role: 'radiogroup', 'aria-label': options.label }, ...buttons);
  element.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const from = buttons.indexOf(event.target as HTMLButtonElement);
    if (step === undefined || from < 0) return;
    const next = buttons[(from + step + buttons.length) % buttons.length];
    event.preventDefault();
    next?.focus();
    next?.click();
  });
  return {
    element,
    set(value) {
      for (const button of buttons) {
        const on = button.dataset.value === value;
        button.setAttribute('aria-checked', String(on));
        button.tabIndex = on ? 0 : -1;
      }
    },
  };
}
