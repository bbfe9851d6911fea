import type { BuiltinPacketInfo } from '#core/protocol/language.ts';

/** What a person chose as the program's input. Stored as JSON, one a program. */
export type PacketChoice =
  | { readonly kind: 'capture'; readonly path: string; readonly packet: number | readonly number[] | 'all' }
  | { readonly kind: 'builtin'; readonly name: string }
  | { readonly kind: 'hex'; readonly hex: string };

/** The launch arguments that say which input a program gets. */
export interface InputArguments {
  readonly capture?: string;
  readonly packet?: number | readonly number[] | 'all';
  readonly data?: string;
}

/** The launch arguments for a choice; undefined for a built-in packet that this version does not have. */
export function inputArguments(
  choice: PacketChoice,
  builtins: readonly BuiltinPacketInfo[],
): InputArguments | undefined {
  switch (choice.kind) {
    case 'capture':
      return { capture: choice.path, packet: choice.packet };
    case 'hex':
      return { data: choice.hex };
    case 'builtin': {
      const builtin = builtins.find((each) => each.name === choice.name);
      return builtin && { data: builtin.hex };
    }
  }
}

/** A choice that was stored by some version of the extension, or undefined when it is not one. */
export function readChoice(stored: unknown): PacketChoice | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined;
  const { kind, path, packet, name, hex } = stored as Readonly<Record<string, unknown>>;
  if (kind === 'builtin' && typeof name === 'string') return { kind, name };
  if (kind === 'hex' && typeof hex === 'string') return { kind, hex };
  if (kind === 'capture' && typeof path === 'string' && isPacket(packet)) return { kind, path, packet };
  return undefined;
}

/** The choice in a few words: `firewall.pcap, packets 1, 3`. */
export function describeChoice(choice: PacketChoice, builtins: readonly BuiltinPacketInfo[]): string {
  switch (choice.kind) {
    case 'builtin':
      return builtins.find((each) => each.name === choice.name)?.title ?? choice.name;
    case 'hex':
      return `${choice.hex.length > 24 ? `${choice.hex.slice(0, 24)}…` : choice.hex} (${choice.hex.length / 2} bytes)`;
    case 'capture': {
      const file = choice.path.split(/[\\/]/).pop() ?? choice.path;
      if (choice.packet === 'all') return `${file}, all packets`;
      const packets = typeof choice.packet === 'number' ? [choice.packet] : choice.packet;
      return `${file}, packet${packets.length === 1 ? '' : 's'} ${packets.join(', ')}`;
    }
  }
}

/**
 * Hex bytes as a person types them (`45 00 00 1c`, `0x4500`, `45:00`), without the decoration, or a sentence
 * that says what is wrong.
 */
export function readHex(text: string): { readonly hex: string } | { readonly error: string } {
  const hex = text.replace(/0x|[\s:,_-]/gi, '').toLowerCase();
  const wrong = /[^0-9a-f]/.exec(hex);
  if (wrong) return { error: `“${wrong[0]}” is no hex digit; bytes are two digits each: 45 00 00 1c` };
  if (hex.length % 2 === 1)
    return { error: `${hex.length} hex digits are no whole number of bytes; each byte has two` };
  if (hex.length === 0) return { error: 'Type the bytes in hex: 45 00 00 1c' };
  return { hex };
}

function isPacket(value: unknown): value is number | readonly number[] | 'all' {
  const isNumber = (each: unknown) => Number.isInteger(each) && (each as number) >= 1;
  return (
    value === 'all' || isNumber(value) || (Array.isArray(value) && value.length > 0 && value.every(isNumber))
  );
}
