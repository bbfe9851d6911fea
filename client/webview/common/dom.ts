/** Attributes of an element; `undefined` and `false` leave one out, `true` gives it no value. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element with attributes and children; text is always text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string | undefined)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** What the client's copy commands find under the mouse (`menus."webview/context"` of the manifest). */
export interface CopyParts {
  readonly value: string;
  readonly meaning?: string | undefined;
  readonly row: string;
}

/** The value of `data-vscode-context` that makes a thing copyable. */
export function copyContext({ value, meaning, row }: CopyParts): string {
  return JSON.stringify({
    webviewSection: meaning === undefined ? 'bpfValue' : 'bpfValueWithMeaning',
    preventDefaultContextMenuItems: true,
    bpfValue: value,
    bpfMeaning: meaning,
    bpfRow: row,
  });
}

/** Makes Copy take the `data-text` of the row that has the focus, where no text is selected. */
export function copyFocusedRow(): void {
  document.addEventListener('copy', (event) => {
    const row = document.activeElement?.closest<HTMLElement>('[data-text]');
    if (!row || String(getSelection()) !== '') return;
    event.clipboardData?.setData('text/plain', row.dataset.text ?? '');
    event.preventDefault();
  });
}
