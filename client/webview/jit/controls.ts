import type { JitForm, JitReply, NativeArch } from '#core/protocol/jit.ts';
import type { JitChoices } from '#core/protocol/jit-page.ts';
import { choice } from '../common/choice.ts';
import { h } from '../common/dom.ts';

/** What can be chosen, by the column whose head it stands in. */
export interface Controls {
  readonly bpf: readonly HTMLElement[];
  readonly native: readonly HTMLElement[];
  /** Shows what an answer has chosen; `blinded`: what was asked for, though there may be none of it to show. */
  show(reply: JitReply, blinded: boolean): void;
}

/** Makes the buttons; `onChoose` is told of what is to be another. */
export function controls(onChoose: (part: Partial<JitChoices>) => void): Controls {
  let shownBlinded = false;
  const forms = choice<JitForm>({
    label: 'Instructions',
    values: [
      { value: 'loaded', text: 'Loaded', title: 'Instructions as they were loaded' },
      { value: 'xlated', text: 'Rewritten', title: 'Instructions as they are executed (xlated)' },
    ],
    onChoose: (form) => onChoose({ form }),
  });
  const arches = choice<NativeArch>({
    label: 'Native code',
    values: [
      { value: 'x86-64', text: 'x86-64', title: 'Machine code that the kernel makes for x86-64' },
      { value: 'wasm', text: 'wasm', title: 'WebAssembly' },
    ],
    onChoose: (arch) => onChoose({ arch }),
  });
  const blinded = h(
    'button',
    {
      type: 'button',
      'aria-pressed': 'false',
      title: 'Constants blinded, as bpf_jit_harden does. For show: the program that runs stays as it is',
    },
    'Blinded',
  );
  blinded.addEventListener('click', () => onChoose({ blinded: !shownBlinded }));
  return {
    bpf: [forms.element],
    native: [arches.element, blinded],
    show({ form, arch }, isBlinded) {
      shownBlinded = isBlinded;
      forms.set(form);
      arches.set(arch);
      blinded.setAttribute('aria-pressed', String(isBlinded));
    },
  };
}
