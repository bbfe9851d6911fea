import type { SymbolDef } from '#core/asm/references.ts';
import { uapiConstant } from '#core/isa/constants.ts';
import { helperByName } from '#core/isa/helpers.ts';
import { REGISTERS } from '#core/isa/registers.ts';
import type { MapDef } from '#core/object/object.ts';
import type { Snapshot } from '../documents.ts';
import { lineAt } from '../line-index.ts';

/** A register's role in the calling convention; `written` is its name in the text (`w1`, `%r1`). */
export function registerMarkdown(number: number, written: string): string | undefined {
  const register = REGISTERS.find((one) => one.number === number);
  if (register === undefined) return undefined;
  const half = /^w/i.test(written)
    ? ` — low 32 bits of \`r${number}\`; writing them zeroes the upper half`
    : '';
  const saved = SAVED[register.saved];
  return `**${written}**${half}\n\n${sentence(register.role)}${saved === undefined ? '' : `\n\n${saved}`}`;
}

/** What the role does not say by itself. */
const SAVED: Readonly<Partial<Record<(typeof REGISTERS)[number]['saved'], string>>> = {
  caller: 'Caller saved: a call leaves no usable value in it (r0 holds the result).',
  callee: 'Callee saved.',
};

/** A helper function's signature and description; undefined when there is none of that name. */
export function helperMarkdown(name: string): string | undefined {
  const helper = helperByName(name);
  if (helper === undefined) return undefined;
  const passed = helper.args.map((_, at) => `r${at + 1}`).join(', ');
  const how = passed === '' ? 'no arguments' : `arguments in ${passed}`;
  return [
    `\`\`\`c\n${helper.signature};\n\`\`\``,
    helper.description,
    `Helper function ${helper.id} (\`call ${helper.id}\`) · ${how} · result in r0; r1-r5 are lost`,
  ].join('\n\n');
}

/** A number in the other bases; undefined where the text is none. */
export function numberMarkdown(text: string): string | undefined {
  const value = parseNumber(text);
  if (value === undefined) return undefined;
  const low = value & 0xffff_ffff_ffff_ffffn;
  const binary = low < 0x10000n ? ` = \`0b${low.toString(2)}\`` : '';
  return `\`${value}\` = \`0x${low.toString(16)}\`${binary}`;
}

function parseNumber(text: string): bigint | undefined {
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  if (!/^(0x[\da-f]+|0b[01]+|\d+)$/i.test(text)) return undefined;
  return BigInt(text);
}

/** What a name stands for: a symbol of this file before a constant of the uapi. */
export function symbolMarkdown(snapshot: Snapshot, name: string): string | undefined {
  const definition = snapshot.assembled().definitions.get(name);
  if (definition !== undefined) return definitionMarkdown(snapshot, definition);
  const constant = uapiConstant(name);
  if (constant === undefined) return undefined;
  return `**${name}** = ${numberMarkdown(constant.value < 0n ? '' : String(constant.value)) ?? `\`${constant.value}\``}\n\n${sentence(constant.meaning)}`;
}

/** A name of the text in bold. Names may be quoted and hold anything: what Markdown would take for a link or HTML is escaped. */
function boldName(name: string): string {
  return `**${name.replace(/[\\`*[\]()<>!&|#\s]/g, (one) => (/\s/.test(one) ? ' ' : `\\${one}`))}**`;
}

function definitionMarkdown(snapshot: Snapshot, definition: SymbolDef): string {
  const { name, kind } = definition;
  const where = `line ${lineAt(snapshot.index, definition.range.start) + 1}`;
  const { maps, programs } = snapshot.assembled().value;
  switch (kind) {
    case 'map': {
      const map = maps.find((one) => one.name === name);
      return map === undefined ? `map ${boldName(name)}, ${where}` : mapMarkdown(map, where);
    }
    case 'constant': {
      const { value } = definition;
      return `${boldName(name)} = ${value === undefined ? '?' : (numberMarkdown(String(value)) ?? `\`${value}\``)}\n\nDefined in ${where}.`;
    }
    case 'section':
      return `section ${boldName(name)}, ${where}`;
    case 'function':
    case 'label': {
      const program = programs.find((one) => one.name === name);
      if (program !== undefined) {
        const type = program.progType === undefined ? '' : ` of type \`${program.progType}\``;
        return `program ${boldName(name)}${type}, ${program.length} slots, ${where}`;
      }
      const slot =
        definition.insnOff === undefined ? '' : `, instruction ${definition.insnOff} of its section`;
      return `${kind} ${boldName(name)}, ${where}${slot}`;
    }
  }
}

function mapMarkdown(map: MapDef, where: string): string {
  const flags = map.flags === 0 ? '' : `, flags 0x${map.flags.toString(16)}`;
  return [
    `map ${boldName(map.name)}, ${where}`,
    `\`${map.type}\`: key ${map.keySize} bytes, value ${map.valueSize} bytes, at most ${map.maxEntries} entries${flags}`,
  ].join('\n\n');
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
